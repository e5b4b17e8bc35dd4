import type { Authorizer } from '@accessops/authz';
import { onUnique } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { RoleChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateRoleRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { changesBetween } from '../changes.ts';
import { assertMayGive, lockPeople, lockRoles } from '../giver.ts';
import { parsePermissions } from '../permissions.ts';
import { isId, parseText } from '../text.ts';
import type { Role } from './role.ts';

/**
 * Changes a custom role, for everybody who has it: the caller must have all that is in it afterwards.
 * Errors: ROLE_NOT_FOUND, SYSTEM_ROLE, INVALID_FIELDS, ROLE_NAME_TAKEN, CANNOT_GIVE, PRECONDITION_FAILED.
 */
export const updateRole = async (
  ctx: Ctx,
  authorizer: Authorizer,
  { id, name, description, permissions }: UpdateRoleRequest,
): Promise<Role> => {
  const { em, tenantId } = ctx;
  const people = await lockPeople(ctx);
  const { giver, named } = await lockRoles(ctx, people, isId(id) ? [id.toLowerCase()] : []);
  const [role] = named;
  if (!role) throw new AppError('ROLE_NOT_FOUND');
  ctx.expectVersion(role.version);
  role.assertCustom();
  const before = { name: role.name, description: role.description, permissions: role.permissions };
  const after = {
    name: name === undefined ? role.name : parseName('/name', name),
    description: description === undefined ? role.description : parseText('/description', description),
    permissions: permissions
      ? await parsePermissions(authorizer, { pointer: '/permissions', permissions: permissions.items, whom: 'toRoles' })
      : role.permissions,
  };
  await assertMayGive(ctx, authorizer, giver, { permissions: after.permissions });
  const changes = changesBetween(before, after);
  if (Object.keys(changes).length === 0) return role;

  role.describe(after, ctx.now());
  await em.flush().catch(onUnique({ role_name: 'ROLE_NAME_TAKEN' }));
  emit(ctx, RoleChangedSchema, { roleId: role.id, tenantId }, role.id, {
    action: 'ROLE_UPDATED',
    entityType: 'ROLE',
    entityId: role.id,
    changes,
  });
  return role;
};
