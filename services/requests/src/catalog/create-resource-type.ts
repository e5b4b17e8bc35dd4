import { newId, onUnique } from '@accessops/db';
import { emit } from '@accessops/events';
import { ResourceTypeChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { created } from '../changes.ts';
import { type NewResourceType, parseNewResourceType, ResourceType } from './resource-type.ts';

/** Adds a kind of resource to the catalog. Errors: INVALID_FIELDS, RESOURCE_TYPE_KEY_TAKEN, PERMISSION_DENIED. */
export const createResourceType = async (ctx: Ctx, input: NewResourceType): Promise<ResourceType> => {
  await ctx.authorize('resource_type', 'create', { tenantId: ctx.tenantId });
  const fields = parseNewResourceType(input);
  const now = ctx.now();
  const type = ctx.em.create(ResourceType, {
    ...fields,
    id: newId(),
    tenantId: ctx.tenantId,
    createdAt: now,
    updatedAt: now,
  });
  await ctx.em.flush().catch(onUnique({ resource_type_key: 'RESOURCE_TYPE_KEY_TAKEN' }));
  emit(ctx, ResourceTypeChangedSchema, { resourceTypeId: type.id }, type.id, {
    action: 'RESOURCE_TYPE_CREATED',
    entityType: 'RESOURCE_TYPE',
    entityId: type.id,
    changes: created(fields),
  });
  return type;
};
