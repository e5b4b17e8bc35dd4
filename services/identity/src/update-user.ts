import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateUserRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { changesBetween } from './changes.ts';
import { lockUser } from './find-user.ts';
import { keepAnAdmin } from './keep-an-admin.ts';
import { requireRoomForUser } from './license/require-room.ts';
import { endSessions } from './session.ts';
import { snapshotOf } from './snapshot.ts';
import type { User } from './user.ts';

const actionOf = (wasActive: boolean, isActive: boolean): string => {
  if (wasActive === isActive) return 'USER_UPDATED';
  return isActive ? 'USER_REACTIVATED' : 'USER_DEACTIVATED';
};

/**
 * Changes names or the active flag. Deactivating ends the user's sessions in the tenant. What changes nothing is not told.
 * Errors: USER_NOT_FOUND, INVALID_FIELDS, CANNOT_DEACTIVATE_SELF, LAST_ADMIN, LICENSE_LIMIT_REACHED, PRECONDITION_FAILED.
 */
export const updateUser = async (ctx: Ctx, { id, firstName, lastName, active }: UpdateUserRequest): Promise<User> => {
  const { em } = ctx;
  const user = await lockUser(em, id);
  ctx.expectVersion(user.version);
  const before = { firstName: user.firstName, lastName: user.lastName, active: user.active };
  const after = {
    firstName: firstName === undefined ? user.firstName : parseName('/firstName', firstName),
    lastName: lastName === undefined ? user.lastName : parseName('/lastName', lastName),
    active: active ?? user.active,
  };
  const changes = changesBetween(before, after);
  if (Object.keys(changes).length === 0) return user;

  const leaves = before.active && !after.active;
  if (leaves && user.id === ctx.principal.id) throw new AppError('CANNOT_DEACTIVATE_SELF');
  if (leaves && user.isActiveAdmin()) await keepAnAdmin(ctx, user);
  if (!before.active && after.active) await requireRoomForUser(em, user.tenantId);
  user.describe(after, ctx.now());
  await em.flush();
  if (leaves) {
    const where = 's.account_id = ? and s.tenant_id = ?';
    await endSessions(ctx, { where, values: [user.id, user.tenantId], reason: 'DEACTIVATED', actor: ctx.actor });
  }
  emit(ctx, UserUpdatedSchema, { user: await snapshotOf(em, user) }, user.id, {
    action: actionOf(before.active, after.active),
    entityType: 'USER',
    entityId: user.id,
    changes,
  });
  return user;
};
