import { executePrepared } from '@accessops/db';
import { emit, type WriteContext } from '@accessops/events';
import { JobQueuedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { type AccessKind, attemptBudget, type Spec, type TaskInput, type TaskKind } from './job.ts';
import { jobChange, subjectOf } from './job-events.ts';
import { queueOf, targetOf } from './queue.ts';

export interface NewJob {
  id: string;
  requestId: string;
  grantId: string | null;
  kind: AccessKind;
  requesterId: string;
  spec: Spec;
  /** When it may be taken at the earliest; at once by default. */
  dueAt?: Date;
}

/** A job about no access, for somebody: they may look at it. */
export interface NewTask {
  id: string;
  requestId: null;
  grantId: null;
  kind: TaskKind;
  requesterId: string;
  spec: TaskInput;
}

const insert = `
  with new as (
    select * from json_to_recordset($1) as j (id uuid, tenant uuid, request uuid, grant_id uuid, kind text, queue text, target text,
      attempts integer, requester uuid, origin jsonb, spec jsonb, due_at timestamptz, at timestamptz)
  ), known as (
    insert into job_target (name) select distinct target from new where target is not null on conflict do nothing
  )
  insert into job (id, tenant_id, request_id, grant_id, kind, queue, target, status, max_attempts, due_at, requester_id, origin, spec, created_at)
  select id, tenant, request, grant_id, kind, queue, target, 'QUEUED', attempts, coalesce(due_at, now()), requester, origin, spec, at from new
  on conflict do nothing returning id`;

/** A job and who has it queued. */
export interface Queueing {
  ctx: WriteContext;
  job: NewJob | NewTask;
}

const rowOf = ({ ctx, job }: Queueing) => ({
  id: job.id,
  tenant: ctx.tenantId,
  request: job.requestId,
  grant_id: job.grantId,
  kind: job.kind,
  queue: queueOf[job.kind],
  target: job.requestId === null ? null : targetOf(job.spec),
  attempts: job.kind === 'REVOKE' ? null : attemptBudget,
  requester: job.requesterId,
  origin: ctx.origin,
  spec: job.spec,
  due_at: job.requestId === null ? undefined : job.dueAt,
  at: ctx.now(),
});

/**
 * Queues jobs, unless there are some: a request is provisioned by one job, and a grant has one unfinished revocation at most, and one
 * unfinished job that gets it another credential. The unique indexes decide. Workers are woken when the transaction has committed. Answers
 * the ids of those queued.
 */
export const queueJobs = async (queueings: Queueing[]): Promise<Set<string>> => {
  const [first] = queueings;
  if (!first) return new Set();
  const inserted = await executePrepared<{ id: string }>(first.ctx.em, insert, [JSON.stringify(queueings.map(rowOf))]);
  const ids = new Set(inserted.map(({ id }) => id));
  for (const { ctx, job } of queueings) {
    if (!ids.has(job.id)) continue;
    const { message, aggregateId } = subjectOf(job);
    emit(ctx, JobQueuedSchema, message, aggregateId, jobChange(job.id, 'JOB_QUEUED', { status: { after: 'QUEUED' } }));
  }
  return ids;
};
