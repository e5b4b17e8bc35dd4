import { AppError } from '@accessops/errors';
import type { WriteContext } from '@accessops/events';
import { isId } from '../text.ts';
import { AccessRequest } from './access-request.ts';

/** Finds a request as it is now. Errors: REQUEST_NOT_FOUND. */
export const findRequest = async ({ em }: Pick<WriteContext, 'em'>, id: string): Promise<AccessRequest> => {
  const request = isId(id) && (await em.findOne(AccessRequest, { id }, { refresh: true }));
  if (!request) throw new AppError('REQUEST_NOT_FOUND');
  return request;
};
