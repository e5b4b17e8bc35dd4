import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { RequestWithdrawnSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { raw } from '@mikro-orm/postgresql';
import { AccessRequest, attributesOf } from './access-request.ts';
import { findRequest } from './find-request.ts';

/**
 * The requester gives back active access; the request becomes REVOKED when the target has confirmed. Giving it back again meanwhile
 * changes nothing. Errors: REQUEST_NOT_FOUND, REQUEST_NOT_ACTIVE, PERMISSION_DENIED.
 */
export const withdrawRequest = async (ctx: Ctx, id: string): Promise<AccessRequest> => {
  await ctx.authorize('access_request', 'withdraw', attributesOf(await findRequest(ctx, id)));
  const now = ctx.now();
  const withdrawn = await ctx.em.nativeUpdate(
    AccessRequest,
    { id, status: 'ACTIVE', withdrawnAt: null },
    { withdrawnAt: now, updatedAt: now, version: raw('version + 1') },
  );
  const request = await findRequest(ctx, id);
  if (request.status !== 'ACTIVE') throw new AppError('REQUEST_NOT_ACTIVE', `The request is ${request.status}.`);
  if (withdrawn === 1) {
    emit(ctx, RequestWithdrawnSchema, { requestId: id, grantId: request.grantId ?? '' }, id, {
      action: 'REQUEST_WITHDRAWN',
      entityType: 'REQUEST',
      entityId: id,
      changes: { withdrawnAt: { before: null, after: now.toISOString() } },
    });
  }
  return request;
};
