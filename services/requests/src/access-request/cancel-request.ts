import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import type { Ctx } from '@accessops/service';
import { raw } from '@mikro-orm/postgresql';
import { AccessRequest, attributesOf } from './access-request.ts';
import { closure } from './closure.ts';
import { findRequest } from './find-request.ts';

/**
 * The requester takes back a request that waits. Of this and the outcome of an approval the database lets one through.
 * Errors: REQUEST_NOT_FOUND, REQUEST_NOT_PENDING, PERMISSION_DENIED.
 */
export const cancelRequest = async (ctx: Ctx, id: string): Promise<AccessRequest> => {
  await ctx.authorize('access_request', 'cancel', attributesOf(await findRequest(ctx, id)));
  const cancelled = await ctx.em.nativeUpdate(
    AccessRequest,
    { id, status: 'PENDING' },
    { status: 'CANCELLED', version: raw('version + 1'), updatedAt: ctx.now() },
  );
  const request = await findRequest(ctx, id);
  if (cancelled === 0) throw new AppError('REQUEST_NOT_PENDING', `The request is ${request.status}.`);
  emit(ctx, ...closure(id, 'CANCELLED'));
  return request;
};
