import type { Ctx } from '@accessops/service';
import { findResourceType } from './find-resource-type.ts';
import { mayLook } from './may-look.ts';
import type { ResourceType } from './resource-type.ts';

/** One kind of resource. Errors: RESOURCE_TYPE_NOT_FOUND, PERMISSION_DENIED. */
export const getResourceType = async (ctx: Ctx, id: string): Promise<ResourceType> => {
  await mayLook(ctx, 'resource_type', 'read');
  return findResourceType(ctx, id);
};
