import { on } from '@accessops/events';
import { GrantActivatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { progressRequest } from './progress-request.ts';

/** The requester has access. */
export const onGrantActivated = on(GrantActivatedSchema, (ctx, { requestId, jobId, grantId }) =>
  progressRequest(ctx, requestId, (request) => request.activate(jobId, grantId)),
);
