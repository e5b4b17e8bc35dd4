import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { raw } from '@mikro-orm/postgresql';
import { isId } from '../text.ts';
import { Invitation } from './invitation.ts';
import { tellInvitationChanged } from './tell-invitation-changed.ts';

/** Takes an invitation back: its link is worth nothing then. Errors: INVITATION_NOT_FOUND, INVITATION_NOT_PENDING. */
export const revokeInvitation = async (ctx: Ctx, id: string): Promise<void> => {
  const { em, tenantId } = ctx;
  const where = { id, tenantId };
  const values = { status: 'REVOKED' as const, version: raw('version + 1') };
  const revoked = isId(id) ? await em.nativeUpdate(Invitation, { ...where, status: 'PENDING' }, values) : 0;
  if (revoked === 0) {
    const known = isId(id) && (await em.findOne(Invitation, where));
    throw new AppError(known ? 'INVITATION_NOT_PENDING' : 'INVITATION_NOT_FOUND');
  }
  tellInvitationChanged(ctx, id, 'INVITATION_REVOKED', { status: { before: 'PENDING', after: 'REVOKED' } });
};
