import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { isId } from '../text.ts';
import { Resource } from './resource.ts';

/** Finds a resource of the catalog with its type. Errors: RESOURCE_NOT_FOUND. */
export const findResource = async ({ em }: Pick<Ctx, 'em'>, id: string): Promise<Resource> => {
  const resource = isId(id) && (await em.findOne(Resource, { id, deletedAt: null }, { populate: ['type'], strategy: 'joined' }));
  if (!resource) throw new AppError('RESOURCE_NOT_FOUND');
  return resource;
};
