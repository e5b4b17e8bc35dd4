import type { Span, Tracer } from '@accessops/telemetry';
import { type ClaimedJob, type ClaimedTask, isTask } from './job.ts';
import type { Settlement } from './settle-jobs.ts';
import type { StepName } from './step.ts';

/** Begins the span of an attempt, in the trace of whatever had the job queued: from here on what the job leads to follows from it. */
export const traceAttempt = (tracer: Tracer | undefined, job: ClaimedJob | ClaimedTask): Span | undefined => {
  const span = tracer?.follow(job.origin.traceparent, `job ${job.kind}`, {
    kind: 'internal',
    attributes: {
      'accessops.job.id': job.id,
      'accessops.job.attempt': job.attempts,
      'accessops.tenant.id': job.tenantId,
      'accessops.request.id': job.origin.requestId,
      ...(isTask(job) ? {} : { 'accessops.connector': job.spec.connector }),
    },
  });
  if (span) job.origin = { ...job.origin, traceparent: span.traceparent };
  return span;
};

/** A call to a target. */
export const traceStep = (tracer: Tracer | undefined, { origin, spec }: ClaimedJob, step: StepName): Span | undefined =>
  tracer?.follow(origin.traceparent, `${step} ${spec.connector}`, { kind: 'client' });

const fine: readonly Settlement['outcome']['kind'][] = ['provisioned', 'changed', 'revoked', 'done', 'waiting'];

/** Ends it with what came of it, once that is recorded. */
export const endAttempt = (span: Span, outcome: Settlement['outcome']['kind']): void => {
  span.add({ 'accessops.outcome': outcome });
  span.end(fine.includes(outcome) ? undefined : outcome);
};
