import type { Authorizer } from '@accessops/authz';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { MembershipChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateMembershipRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { changesBetween } from './changes.ts';
import { assertMayGive, lockPeople, lockRoles } from './giver.ts';
import { keepAnAdmin } from './keep-an-admin.ts';
import { parseOrgRoles } from './org-role.ts';
import { rolesOf } from './roles/find-role.ts';
import type { Role } from './roles/role.ts';
import { snapshotOf } from './snapshot.ts';
import { isId } from './text.ts';
import type { User } from './user.ts';

const assertAllThere = (ids: string[], found: Role[]): void => {
  const custom = new Set(found.filter(({ system }) => !system).map(({ id }) => id));
  const fields = ids.flatMap((id, index) =>
    custom.has(id) ? [] : [{ pointer: `/roles/${index}`, message: 'is not a custom role of this tenant' }],
  );
  if (fields.length > 0) throw new AppError('INVALID_FIELDS', undefined, { fields });
};

const replaceRoles = async ({ em, tenantId }: Ctx, userId: string, roles: Role[]): Promise<void> => {
  await em.execute('delete from role_assignment where tenant_id = ? and user_id = ?', [tenantId, userId]);
  for (const { id } of roles)
    await em.execute('insert into role_assignment (tenant_id, user_id, role_id) values (?, ?, ?)', [tenantId, userId, id]);
};

/**
 * Replaces a user's org roles, and the custom ones when they are named; the caller's own included. What is new to the user must be the
 * caller's to give. Errors: USER_NOT_FOUND, INVALID_FIELDS, LAST_ADMIN, CANNOT_GIVE, PRECONDITION_FAILED.
 */
export const updateMembership = async (
  ctx: Ctx,
  authorizer: Authorizer,
  { userId, orgRoles, roles }: UpdateMembershipRequest,
): Promise<User> => {
  const { em, tenantId } = ctx;
  const after = parseOrgRoles(orgRoles);
  const roleIds = (roles?.ids ?? []).map((id) => id.toLowerCase());
  const people = await lockPeople(ctx, isId(userId) ? [userId.toLowerCase()] : []);
  const user = people.find(({ id }) => id === userId.toLowerCase());
  if (!user) throw new AppError('USER_NOT_FOUND');
  ctx.expectVersion(user.version);

  const held = await rolesOf(em, tenantId, [user.id]);
  const { giver, named } = await lockRoles(ctx, people, roleIds.filter(isId));
  if (roles) assertAllThere(roleIds, named);
  if (user.isActiveAdmin() && !after.includes('admin')) await keepAnAdmin(ctx, user);
  const heldIds = new Set(held.map(({ id }) => id));
  await assertMayGive(ctx, authorizer, giver, {
    orgRoles: after.filter((role) => !user.orgRoles.includes(role)),
    permissions: [...new Set(named.filter(({ id }) => !heldIds.has(id)).flatMap(({ permissions }) => permissions))],
  });

  const names = held.map(({ name }) => name);
  const namesAfter = roles ? named.map(({ name }) => name).sort() : names;
  const changes = changesBetween({ orgRoles: user.orgRoles, roles: names.sort() }, { orgRoles: after, roles: namesAfter });
  if (Object.keys(changes).length === 0) return user;
  if (roles) await replaceRoles(ctx, user.id, named);
  user.hold(after, ctx.now());
  await em.flush();
  emit(ctx, MembershipChangedSchema, { user: await snapshotOf(em, user) }, user.id, {
    action: 'MEMBERSHIP_CHANGED',
    entityType: 'MEMBERSHIP',
    entityId: user.id,
    changes,
  });
  return user;
};
