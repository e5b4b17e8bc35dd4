import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { isId } from '../text.ts';
import { ResourceType } from './resource-type.ts';

/** Finds a type of the catalog; `forUpdate` keeps everybody else from using or changing it. Errors: RESOURCE_TYPE_NOT_FOUND. */
export const findResourceType = async ({ em }: Ctx, id: string, { forUpdate = false } = {}): Promise<ResourceType> => {
  const lockMode = forUpdate ? LockMode.PESSIMISTIC_WRITE : undefined;
  const type = isId(id) && (await em.findOne(ResourceType, { id, deletedAt: null }, { lockMode }));
  if (!type) throw new AppError('RESOURCE_TYPE_NOT_FOUND');
  return type;
};
