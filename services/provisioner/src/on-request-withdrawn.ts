import { on } from '@accessops/events';
import { RequestWithdrawnSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { endGrants } from './grants/end-grants.ts';
import { Grant } from './grants/grant.ts';

/** Access that was given back ends; when it is ending already, that end stands. */
export const onRequestWithdrawn = on(RequestWithdrawnSchema, async (ctx, { requestId, grantId }) => {
  // An extension is given back with what it extends.
  const grant = await ctx.em.findOne(Grant, { tenantId: ctx.tenantId, ...(grantId ? { id: grantId } : { requestId }) });
  if (grant) await endGrants(ctx, [grant.id], 'WITHDRAWN', ctx);
});
