import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { endGrants } from './end-grants.ts';
import { findGrant } from './find-grant.ts';
import type { Grant } from './grant.ts';

/** Begins the end of an ACTIVE grant, for its holder or an admin. Errors: GRANT_NOT_FOUND, GRANT_NOT_ACTIVE, PERMISSION_DENIED. */
export const revokeGrant = async (ctx: Ctx, id: string): Promise<Grant> => {
  const grant = await findGrant(ctx, id, 'revoke');
  const ended = await endGrants(ctx, [id], 'REVOKED', ctx);
  if (ended.length === 0) throw new AppError('GRANT_NOT_ACTIVE');
  return ctx.em.refreshOrFail(grant);
};
