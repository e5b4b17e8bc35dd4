import { on } from '@accessops/events';
import { JobQueuedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { progressRequest } from './progress-request.ts';

/** An approved request is being provisioned. */
export const onJobQueued = on(JobQueuedSchema, async (ctx, { kind, requestId, jobId }) => {
  if (kind === 'PROVISION') await progressRequest(ctx, requestId, (request) => request.queue(jobId));
});
