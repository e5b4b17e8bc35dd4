import { on } from '@accessops/events';
import { JobRetriedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { progressRequest } from './progress-request.ts';

/** An admin had provisioning tried again. */
export const onJobRetried = on(JobRetriedSchema, async (ctx, { kind, requestId, jobId }) => {
  if (kind === 'PROVISION') await progressRequest(ctx, requestId, (request) => request.retry(jobId));
});
