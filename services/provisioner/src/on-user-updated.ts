import { type EventContext, on } from '@accessops/events';
import { UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { endGrantsWhere } from './grants/end-grants.ts';
import { rememberHolder } from './standing.ts';

/** Ends all grants of somebody who is gone, unless newer news of them has come before. */
export const endAccessOf = async (ctx: EventContext, userId: string, version: number): Promise<void> => {
  const { tenantId } = ctx;
  if (!(await rememberHolder(ctx.em, { tenantId, userId }, false, version))) return;
  await endGrantsWhere(ctx, { tenantId, holderId: userId }, 'USER_DEACTIVATED');
};

/** Somebody who was deactivated loses all access. */
export const onUserUpdated = on(UserUpdatedSchema, async (ctx, { user }) => {
  if (!user) return;
  if (user.active) await rememberHolder(ctx.em, { tenantId: ctx.tenantId, userId: user.id }, true, user.version);
  else await endAccessOf(ctx, user.id, user.version);
});
