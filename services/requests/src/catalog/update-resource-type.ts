import { emit } from '@accessops/events';
import { ResourceTypeChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { changed } from '../changes.ts';
import { findResourceType } from './find-resource-type.ts';
import { parseResourceTypeChange, type ResourceType, type ResourceTypeChange } from './resource-type.ts';

/** Changes a type; open requests keep the plan they were filed with. Errors: RESOURCE_TYPE_NOT_FOUND, INVALID_FIELDS, VERSION_CONFLICT, PRECONDITION_FAILED, PERMISSION_DENIED. */
export const updateResourceType = async (ctx: Ctx, id: string, change: ResourceTypeChange): Promise<ResourceType> => {
  await ctx.authorize('resource_type', 'update', { tenantId: ctx.tenantId });
  const type = await findResourceType(ctx, id);
  ctx.expectVersion(type.version);
  const fields = parseResourceTypeChange(type, change);
  const changes = changed(type, fields);
  if (Object.keys(changes).length === 0) return type;
  ctx.em.assign(type, { ...fields, updatedAt: ctx.now() });
  emit(ctx, ResourceTypeChangedSchema, { resourceTypeId: id }, id, {
    action: 'RESOURCE_TYPE_UPDATED',
    entityType: 'RESOURCE_TYPE',
    entityId: id,
    changes,
  });
  await ctx.em.flush();
  return type;
};
