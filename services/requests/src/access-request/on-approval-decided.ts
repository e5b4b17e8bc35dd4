import { callWithin } from '@accessops/db';
import { on, type Subscription } from '@accessops/events';
import { ApprovalDecidedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { type Settling, settleRequest } from './settle-request.ts';

/** The same as SettleRequest, for when approvals could not reach us at once. */
export const onApprovalDecided = (settling: Omit<Settling, 'database'>): Subscription =>
  on(ApprovalDecidedSchema, async (ctx, { requestId, outcome, decider }) => {
    await settleRequest(ctx, { ...settling, database: callWithin(ctx.em) }, { id: requestId, outcome, decider });
  });
