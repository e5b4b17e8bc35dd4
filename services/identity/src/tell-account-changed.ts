import { emit, type WriteContext } from '@accessops/events';
import { AccountChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Changes } from './changes.ts';
import { homeOf } from './home-of.ts';

/** Tells of something that happened to an account and that no tenant's user shows. Needs a transaction across tenants. */
export const tellAccountChanged = async (ctx: WriteContext, accountId: string, action: string, changes: Changes = {}): Promise<void> => {
  const tenantId = await homeOf(ctx.em, accountId);
  emit({ ...ctx, tenantId }, AccountChangedSchema, { userId: accountId }, accountId, {
    action,
    entityType: 'USER',
    entityId: accountId,
    changes,
  });
};
