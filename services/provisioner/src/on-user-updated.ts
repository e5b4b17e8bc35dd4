import { on } from '@accessops/events';
import { UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { endGrants } from './grants/end-grants.ts';
import { Grant } from './grants/grant.ts';
import { rememberHolder } from './holder.ts';

/** Somebody who was deactivated loses all access. (A suspended tenant keeps its grants: its people cannot get at them, and they expire.) */
export const onUserUpdated = on(UserUpdatedSchema, async (ctx, { user }) => {
  if (!user) return;
  const { tenantId } = ctx;
  const isNews = await rememberHolder(ctx.em, { tenantId, userId: user.id }, user.active, user.version);
  if (!isNews || user.active) return;
  const grants = await ctx.em.find(Grant, { tenantId, holderId: user.id, status: 'ACTIVE' }, { fields: ['id'] });
  await endGrants(
    ctx,
    grants.map(({ id }) => id),
    'USER_DEACTIVATED',
    ctx,
  );
});
