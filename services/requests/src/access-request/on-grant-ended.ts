import { on } from '@accessops/events';
import { GrantEndedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { progressRequest } from './progress-request.ts';

/** The access is gone, at the target too. */
export const onGrantEnded = on(GrantEndedSchema, async (ctx, { requestId, grantId, status }) => {
  if (status !== 'EXPIRED' && status !== 'REVOKED') throw new Error(`No end of a grant: ${status}`);
  await progressRequest(ctx, requestId, (request) => request.end(grantId, status));
});
