import { type EventContext, on } from '@accessops/events';
import { UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { endGrants } from './grants/end-grants.ts';
import { Grant } from './grants/grant.ts';
import { rememberHolder } from './holder.ts';

/** Ends all grants of somebody who is gone, unless newer news of them has come before. */
export const endAccessOf = async (ctx: EventContext, userId: string, version: number): Promise<void> => {
  const { tenantId } = ctx;
  const isNews = await rememberHolder(ctx.em, { tenantId, userId }, false, version);
  if (!isNews) return;
  const grants = await ctx.em.find(Grant, { tenantId, holderId: userId, status: 'ACTIVE' }, { fields: ['id'] });
  await endGrants(
    ctx,
    grants.map(({ id }) => id),
    'USER_DEACTIVATED',
    ctx,
  );
};

/** Somebody who was deactivated loses all access. (A suspended tenant keeps its grants: its people cannot get at them, and they expire.) */
export const onUserUpdated = on(UserUpdatedSchema, async (ctx, { user }) => {
  if (!user) return;
  if (user.active) await rememberHolder(ctx.em, { tenantId: ctx.tenantId, userId: user.id }, true, user.version);
  else await endAccessOf(ctx, user.id, user.version);
});
