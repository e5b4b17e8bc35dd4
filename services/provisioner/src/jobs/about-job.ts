import { parseTraceparent } from '@accessops/telemetry';
import type { ClaimedJob, ClaimedTask } from './job.ts';

/** How log lines name a job: with whose it is, what it is for, and the call that had it queued. */
export const aboutJob = ({ id, kind, attempts, tenantId, requestId, origin }: ClaimedJob | ClaimedTask) => ({
  job_id: id,
  kind,
  attempt: attempts,
  tenant: tenantId,
  access_request_id: requestId ?? undefined,
  request_id: origin.requestId,
  trace_id: parseTraceparent(origin.traceparent)?.traceId,
});
