import { callWithin, executePrepared } from '@accessops/db';
import { type EventContext, heardOf, onTogether, type Subscription } from '@accessops/events';
import { ApprovalDecidedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { type Settling, settleRequest } from './settle-request.ts';

const find = `select id from access_request
  where tenant_id = $1 and id = any($2::uuid[]) and status <> 'PENDING'`;

/** Which of the requests wait for nothing any more: nearly all, approvals had them settled at once. */
const findSettled = async ({ em, tenantId }: EventContext, ids: string[]): Promise<Set<string>> => {
  const rows = await executePrepared<{ id: string }>(em, find, [tenantId, ids]);
  return new Set(rows.map(({ id }) => id));
};

/** The same as SettleRequest, for when approvals could not reach us at once. */
export const onApprovalDecided = (settling: Omit<Settling, 'database'>): Subscription[] =>
  onTogether([ApprovalDecidedSchema.name], async (contexts) => {
    const decided = heardOf(contexts, ApprovalDecidedSchema);
    const [first] = decided;
    if (!first) return;
    const settled = await findSettled(
      first.ctx,
      decided.map(({ message }) => message.requestId),
    );
    for (const { ctx, message } of decided) {
      const { requestId, outcome, decider } = message;
      if (settled.has(requestId)) continue;
      await settleRequest(ctx, { ...settling, database: callWithin(ctx.em) }, { id: requestId, outcome, decider });
    }
  });
