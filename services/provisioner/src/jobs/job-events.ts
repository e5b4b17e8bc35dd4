import { type AuditedChange, emit, type WriteContext } from '@accessops/events';
import { JobFailedSchema, JobProgressedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Job } from './job.ts';

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

/** What an event about a job says of it, and what order is kept for: its request, since that waits for what led there; else the job. */
export const subjectOf = ({ id, requestId, kind }: Pick<Job, 'id' | 'requestId' | 'kind'>) => ({
  message: { jobId: id, requestId: requestId ?? '', kind },
  aggregateId: requestId ?? id,
});

/** Tells how a job got on. */
export const emitProgress = (
  background: Background,
  job: Pick<Job, 'id' | 'tenantId' | 'requestId' | 'kind' | 'origin'>,
  status: string,
  action: 'JOB_STARTED' | 'JOB_RESUMED' | 'JOB_RETRY_SCHEDULED' | 'JOB_DEFERRED' | 'JOB_ANSWERED' | 'JOB_SUCCEEDED',
  changes: AuditedChange['changes'],
): void => {
  const { message, aggregateId } = subjectOf(job);
  emit(asService(background, job), JobProgressedSchema, { ...message, status }, aggregateId, jobChange(job.id, action, changes));
};

/** Tells that a job has failed for good, and why. */
export const emitFailed = (ctx: WriteContext, job: Pick<Job, 'id' | 'requestId' | 'kind'>, before: string, error: string): void => {
  const { message, aggregateId } = subjectOf(job);
  const changes = { status: { before, after: 'FAILED' }, lastError: { after: error } };
  emit(ctx, JobFailedSchema, { ...message, error }, aggregateId, jobChange(job.id, 'JOB_FAILED', changes));
};
