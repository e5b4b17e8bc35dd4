import { emit, type WriteContext } from '@accessops/events';
import { JobQueuedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { attemptBudget, type JobKind, queueOf, type Spec } from './job.ts';
import { jobChange } from './job-events.ts';

export interface NewJob {
  id: string;
  requestId: string;
  grantId: string | null;
  kind: JobKind;
  requesterId: string;
  spec: Spec;
}

/**
 * Queues a job, unless there is one: a request is provisioned by one job, and a grant has one unfinished revocation at most.
 * The unique indexes decide. Workers are woken when the transaction has committed.
 */
export const queueJob = async (ctx: WriteContext, { id, requestId, grantId, kind, requesterId, spec }: NewJob): Promise<void> => {
  const inserted = await ctx.em.execute<{ id: string }[]>(
    `insert into job (id, tenant_id, request_id, grant_id, kind, queue, status, max_attempts, due_at, requester_id, origin, spec, created_at)
     values (?, ?, ?, ?, ?, ?, 'QUEUED', ?, now(), ?, ?, ?, ?) on conflict do nothing returning id`,
    [
      id,
      ctx.tenantId,
      requestId,
      grantId,
      kind,
      queueOf[kind],
      kind === 'PROVISION' ? attemptBudget : null,
      requesterId,
      JSON.stringify(ctx.origin),
      JSON.stringify(spec),
      ctx.now(),
    ],
  );
  if (inserted.length === 0) return;
  emit(ctx, JobQueuedSchema, { jobId: id, requestId, kind }, requestId, jobChange(id, 'JOB_QUEUED', { status: { after: 'QUEUED' } }));
};
