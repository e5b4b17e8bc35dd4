import { AppError } from '@accessops/errors';
import type { WriteContext } from '@accessops/events';
import { LockMode } from '@mikro-orm/postgresql';
import { isId } from '../text.ts';
import { AccessRequest } from './access-request.ts';

/** Finds a request as it is now; `forUpdate` keeps everybody else from changing it. Errors: REQUEST_NOT_FOUND. */
export const findRequest = async ({ em }: Pick<WriteContext, 'em'>, id: string, { forUpdate = false } = {}): Promise<AccessRequest> => {
  const lockMode = forUpdate ? LockMode.PESSIMISTIC_WRITE : undefined;
  const request = isId(id) && (await em.findOne(AccessRequest, { id }, { lockMode, refresh: true }));
  if (!request) throw new AppError('REQUEST_NOT_FOUND');
  return request;
};
