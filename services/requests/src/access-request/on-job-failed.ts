import { on } from '@accessops/events';
import { JobFailedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { progressRequest } from './progress-request.ts';

/** Provisioning gave up; an admin may have it tried again. */
export const onJobFailed = on(JobFailedSchema, async (ctx, { kind, requestId, jobId }) => {
  if (kind === 'PROVISION') await progressRequest(ctx, requestId, (request) => request.fail(jobId));
});
