import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { validate } from 'uuid';
import { Grant } from './grant.ts';

/** A grant of the caller's tenant, if the caller may do this with it. Errors: GRANT_NOT_FOUND, PERMISSION_DENIED. */
export const findGrant = async (
  ctx: Ctx,
  id: string,
  action: 'read' | 'revoke' | 'close' | 'read_credential' | 'reissue_credential',
): Promise<Grant> => {
  const grant = validate(id) ? await ctx.em.findOne(Grant, { id, tenantId: ctx.tenantId }) : null;
  if (!grant) throw new AppError('GRANT_NOT_FOUND');
  await ctx.authorize('grant', action, { tenantId: grant.tenantId, holderId: grant.holderId, acr: grant.access.acr ?? '' });
  return grant;
};
