import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { RoleChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { ForeignKeyConstraintViolationException } from '@mikro-orm/postgresql';
import { lockRole } from './find-role.ts';

const inUse = (error: unknown): never => {
  if (error instanceof ForeignKeyConstraintViolationException) throw new AppError('ROLE_IN_USE', undefined, { cause: error });
  throw error;
};

/**
 * Deletes a custom role that nobody has; who gets it at the same moment either has it, or is told that there is none.
 * Errors: ROLE_NOT_FOUND, SYSTEM_ROLE, ROLE_IN_USE, PRECONDITION_FAILED.
 */
export const deleteRole = async (ctx: Ctx, id: string): Promise<void> => {
  const { em, tenantId } = ctx;
  const role = await lockRole(em, id);
  ctx.expectVersion(role.version);
  role.assertCustom();
  const { name, description, permissions } = role;
  em.remove(role);
  await em.flush().catch(inUse);
  emit(ctx, RoleChangedSchema, { roleId: role.id, tenantId }, role.id, {
    action: 'ROLE_DELETED',
    entityType: 'ROLE',
    entityId: role.id,
    changes: { name: { before: name }, description: { before: description }, permissions: { before: permissions } },
  });
};
