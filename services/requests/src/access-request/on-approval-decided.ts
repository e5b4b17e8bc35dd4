import { callWithin } from '@accessops/db';
import { on } from '@accessops/events';
import { ApprovalDecidedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { settleRequest } from './settle-request.ts';

/** The same as SettleRequest, for when approvals could not reach us at once. */
export const onApprovalDecided = on(ApprovalDecidedSchema, async (ctx, { requestId, outcome, decider }) => {
  await settleRequest(ctx, callWithin(ctx.em), { id: requestId, outcome, decider });
});
