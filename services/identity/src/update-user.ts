import type { Authorizer } from '@accessops/authz';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateUserRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { changesBetween } from './changes.ts';
import { assertMayGive, lockPeople, lockRoles } from './giver.ts';
import { keepAnAdmin } from './keep-an-admin.ts';
import { requireRoomForUser } from './license/require-room.ts';
import { rolesOf } from './roles/find-role.ts';
import { endSessions } from './session.ts';
import { snapshotOf } from './snapshot.ts';
import { isId } from './text.ts';
import type { User } from './user.ts';

const actionOf = (wasActive: boolean, isActive: boolean): string => {
  if (wasActive === isActive) return 'USER_UPDATED';
  return isActive ? 'USER_REACTIVATED' : 'USER_DEACTIVATED';
};

/** Whoever comes back gets all that they had: it has to be the caller's to give. Errors: CANNOT_GIVE. */
const assertMayGiveBack = async (ctx: Ctx, authorizer: Authorizer, people: User[], { id, tenantId, orgRoles }: User): Promise<void> => {
  const held = await rolesOf(ctx.em, tenantId, [id]);
  const roleIds = held.map((role) => role.id);
  const { giver, named } = await lockRoles(ctx, people, roleIds);
  await assertMayGive(ctx, authorizer, giver, { orgRoles, permissions: [...new Set(named.flatMap(({ permissions }) => permissions))] });
};

/**
 * Changes names or the active flag. Deactivating ends the user's sessions in the tenant; activating gives back the roles that the user has.
 * What changes nothing is not told. Errors: USER_NOT_FOUND, INVALID_FIELDS, CANNOT_DEACTIVATE_SELF, LAST_ADMIN, CANNOT_GIVE,
 * LICENSE_LIMIT_REACHED, PRECONDITION_FAILED.
 */
export const updateUser = async (
  ctx: Ctx,
  authorizer: Authorizer,
  { id, firstName, lastName, active }: UpdateUserRequest,
): Promise<User> => {
  const { em } = ctx;
  const people = await lockPeople(ctx, isId(id) ? [id.toLowerCase()] : []);
  const user = people.find((person) => person.id === id.toLowerCase());
  if (!user) throw new AppError('USER_NOT_FOUND');
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
  if (!before.active && after.active) {
    await assertMayGiveBack(ctx, authorizer, people, user);
    await requireRoomForUser(em, user.tenantId);
  }
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
