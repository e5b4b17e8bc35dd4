import type { Authorizer } from '@accessops/authz';
import { newId, onUnique } from '@accessops/db';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { RoleChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { CreateRoleRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { created } from '../changes.ts';
import { assertMayGive, lockGiver } from '../giver.ts';
import { parsePermissions } from '../permissions.ts';
import { parseText } from '../text.ts';
import { Role } from './role.ts';

/** Makes a custom role out of what the caller has. Errors: INVALID_FIELDS, ROLE_NAME_TAKEN, CANNOT_GIVE. */
export const createRole = async (ctx: Ctx, authorizer: Authorizer, request: CreateRoleRequest): Promise<Role> => {
  const { em, tenantId } = ctx;
  const name = parseName('/name', request.name);
  const description = parseText('/description', request.description);
  const asked = { pointer: '/permissions', permissions: request.permissions, whom: 'toRoles' } as const;
  const permissions = await parsePermissions(authorizer, asked);
  const giver = await lockGiver(ctx);
  await assertMayGive(ctx, authorizer, giver, { permissions });
  const now = ctx.now();
  const role = em.create(Role, {
    id: newId(),
    tenantId,
    name,
    description,
    system: false,
    permissions,
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
  await em.flush().catch(onUnique({ role_name: 'ROLE_NAME_TAKEN' }));
  emit(ctx, RoleChangedSchema, { roleId: role.id, tenantId }, role.id, {
    action: 'ROLE_CREATED',
    entityType: 'ROLE',
    entityId: role.id,
    changes: created({ name, description, permissions }),
  });
  return role;
};
