import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { type AccessRequest, attributesOf } from './access-request.ts';
import { closeRequest } from './close-request.ts';
import { findRequest } from './find-request.ts';

/** The requester takes back a request that waits. Errors: REQUEST_NOT_FOUND, REQUEST_NOT_PENDING, PERMISSION_DENIED. */
export const cancelRequest = async (ctx: Ctx, id: string): Promise<AccessRequest> => {
  await ctx.authorize('access_request', 'cancel', attributesOf(await findRequest(ctx, id)));
  const cancelled = await closeRequest(ctx, id, 'CANCELLED');
  const request = await findRequest(ctx, id);
  if (!cancelled) throw new AppError('REQUEST_NOT_PENDING', `The request is ${request.status}.`);
  return request;
};
