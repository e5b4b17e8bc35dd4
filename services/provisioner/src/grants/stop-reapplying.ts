import type { Event } from '@accessops/events';
import { emit } from '@accessops/events';
import { JobFailedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { asService, type Background, jobChange } from '../jobs/job-events.ts';

interface Stopped {
  id: string;
  tenantId: string;
  requestId: string;
  grantId: string;
  kind: string;
  before: string;
  origin: Event['origin'];
  /** When nothing of its worker comes any more. */
  safeAt: string;
}

const lastError = 'The access has ended';

/**
 * Ends the jobs that put back access of grants which end. A worker that has one just now finds that it is over; until the lease that it had
 * has run out, it may still reach the target. Answers that time for those grants: to take the access away before would not do.
 */
export const stopReapplying = async (background: Background, grantIds: string[]): Promise<Map<string, Date>> => {
  const stopped = await background.em.execute<Stopped[]>(
    `with open as materialized (
       select id, status, due_at from job
       where grant_id in (${grantIds.map(() => '?').join(', ')}) and kind = 'REAPPLY' and status in ('QUEUED', 'RUNNING') for update
     )
     update job set status = 'FAILED', last_error = ?, finished_at = ? from open where job.id = open.id
     returning job.id, tenant_id as "tenantId", request_id as "requestId", grant_id as "grantId", kind, origin, open.status as before,
       open.due_at as "safeAt"`,
    [...grantIds, lastError, background.now()],
  );
  for (const { id, requestId, kind, before, ...of } of stopped) {
    emit(
      asService(background, of),
      JobFailedSchema,
      { jobId: id, requestId, kind, error: lastError },
      requestId,
      jobChange(id, 'JOB_FAILED', { status: { before, after: 'FAILED' }, lastError: { after: lastError } }),
    );
  }
  return new Map(stopped.flatMap(({ grantId, before, safeAt }) => (before === 'RUNNING' ? [[grantId, new Date(safeAt)] as const] : [])));
};
