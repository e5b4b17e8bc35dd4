import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { ResourceTypeChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { findResourceType } from './find-resource-type.ts';
import { Resource } from './resource.ts';

/** Takes a type out of the catalog when no resource uses it. Errors: RESOURCE_TYPE_NOT_FOUND, RESOURCE_TYPE_IN_USE, PRECONDITION_FAILED, PERMISSION_DENIED. */
export const deleteResourceType = async (ctx: Ctx, id: string): Promise<void> => {
  await ctx.authorize('resource_type', 'delete', { tenantId: ctx.tenantId });
  // Whoever creates a resource holds the type: after this lock the count stands.
  const type = await findResourceType(ctx, id, { forUpdate: true });
  ctx.expectVersion(type.version);
  if ((await ctx.em.count(Resource, { tenantId: ctx.tenantId, type: id, deletedAt: null })) > 0) throw new AppError('RESOURCE_TYPE_IN_USE');
  type.deletedAt = ctx.now();
  emit(ctx, ResourceTypeChangedSchema, { resourceTypeId: id }, id, {
    action: 'RESOURCE_TYPE_DELETED',
    entityType: 'RESOURCE_TYPE',
    entityId: id,
    changes: { key: { before: type.key, after: null } },
  });
};
