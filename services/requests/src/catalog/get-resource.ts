import type { Ctx } from '@accessops/service';
import { findResource } from './find-resource.ts';
import { mayLook } from './may-look.ts';
import type { Resource } from './resource.ts';

/** One resource with its type. Errors: RESOURCE_NOT_FOUND, PERMISSION_DENIED. */
export const getResource = async (ctx: Ctx, id: string): Promise<Resource> => {
  await mayLook(ctx, 'resource', 'read');
  return findResource(ctx, id);
};
