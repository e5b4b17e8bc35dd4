import type { Authorizer } from '@accessops/authz';
import { newId, onUnique } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { CreateInvitationRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { changesBetween, created } from '../changes.ts';
import { parseEmail } from '../email.ts';
import { assertMayGive, lockGiver } from '../giver.ts';
import { linkLifetimes } from '../links/lifetimes.ts';
import { newLinkToken } from '../links/link-token.ts';
import type { QueueMail } from '../mail/queue-mail.ts';
import { parseOrgRoles } from '../org-role.ts';
import type { Settings } from '../settings/settings.ts';
import { assertDomainIn } from '../tenant-rules.ts';
import { User } from '../user.ts';
import { Invitation } from './invitation.ts';
import { tellInvitationChanged } from './tell-invitation-changed.ts';

/**
 * Invites somebody into the caller's tenant by mail. An invitation that the address has already goes out again with these roles, and its
 * earlier link is worth nothing. Errors: INVALID_FIELDS, EMAIL_TAKEN (a user of the tenant, deactivated or not), CANNOT_GIVE, TOO_MANY_MAILS.
 */
export const invite = async (
  ctx: Ctx,
  authorizer: Authorizer,
  { queueMail, settings }: { queueMail: QueueMail; settings: Settings },
  request: CreateInvitationRequest,
): Promise<Invitation> => {
  const { em, tenantId, principal } = ctx;
  const email = parseEmail(request.email);
  const orgRoles = parseOrgRoles(request.orgRoles);
  await assertDomainIn(em, settings, [tenantId], { email });
  if (await em.findOne(User, { tenantId, email })) throw new AppError('EMAIL_TAKEN', 'There is a user with this e-mail address.');

  const giver = await lockGiver(ctx);
  await assertMayGive(ctx, authorizer, giver, { orgRoles });
  const now = ctx.now();
  const open = await em.findOne(Invitation, { tenantId, email, status: 'PENDING' }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  const link = newLinkToken(open?.id ?? newId());
  const made = { orgRoles, tokenHash: link.hash, invitedBy: principal.id };
  const before = open && { orgRoles: open.orgRoles, expiresAt: open.expiresAt };
  open?.renew(made, now);
  const invitation =
    open ??
    em.create(Invitation, {
      ...made,
      id: link.id,
      tenantId,
      email,
      status: 'PENDING',
      version: 1,
      createdAt: now,
      expiresAt: new Date(now.getTime() + linkLifetimes.INVITATION),
    });
  await em.flush().catch(onUnique({ invitation_open: 'VERSION_CONFLICT' }));
  await queueMail(ctx, { kind: 'INVITATION', address: email, link });
  const { expiresAt } = invitation;
  if (before) tellInvitationChanged(ctx, invitation.id, 'INVITATION_RENEWED', changesBetween(before, { orgRoles, expiresAt }));
  else tellInvitationChanged(ctx, invitation.id, 'INVITATION_CREATED', created({ email, orgRoles, expiresAt }));
  return invitation;
};
