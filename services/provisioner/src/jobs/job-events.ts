import { type AuditedChange, emit, type WriteContext } from '@accessops/events';
import { JobProgressedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { ClaimedJob } from './job.ts';

/** What every transaction of background work has, whoever's job it is about. */
export type Background = Pick<WriteContext, 'em' | 'now'>;

/** The service itself at work for one tenant, because of the call in `origin`. */
export const asService = ({ em, now }: Background, { tenantId, origin }: Pick<WriteContext, 'tenantId' | 'origin'>): WriteContext => ({
  em,
  now,
  tenantId,
  origin,
  actor: { id: 'provisioner', type: 'system', email: '' },
});

/** The audit side of a job's event. */
export const jobChange = (id: string, action: string, changes: AuditedChange['changes'] = {}): AuditedChange => ({
  action,
  entityType: 'JOB',
  entityId: id,
  changes,
});

/** Tells how a job got on. Order is kept per request: what it waits for comes after what led there. */
export const emitProgress = (
  background: Background,
  job: Pick<ClaimedJob, 'id' | 'tenantId' | 'requestId' | 'kind' | 'origin'>,
  status: string,
  action: 'JOB_STARTED' | 'JOB_RESUMED' | 'JOB_RETRY_SCHEDULED' | 'JOB_DEFERRED' | 'JOB_ANSWERED' | 'JOB_SUCCEEDED',
  changes: AuditedChange['changes'],
): void =>
  emit(
    asService(background, job),
    JobProgressedSchema,
    { jobId: job.id, requestId: job.requestId, kind: job.kind, status },
    job.requestId,
    jobChange(job.id, action, changes),
  );
