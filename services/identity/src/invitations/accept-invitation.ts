import { AppError, invalidField } from '@accessops/errors';
import type { AcceptInvitationRequest, AcceptInvitationResponseSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call, Ctx } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type EntityManager, LockMode, raw } from '@mikro-orm/postgresql';
import { Account } from '../account.ts';
import { actingAs } from '../acting-as.ts';
import { addUser } from '../add-user.ts';
import { rolesBeyond } from '../giver.ts';
import { isHashOf, readLinkToken } from '../links/link-token.ts';
import { replacePassword } from '../links/replace-password.ts';
import { tenantsOf } from '../memberships.ts';
import type { OrgRole } from '../org-role.ts';
import type { IdentityProvider } from '../provider.ts';
import type { Settings } from '../settings/settings.ts';
import { Tenant } from '../tenant.ts';
import { assertDomainIn, passwordLengthIn } from '../tenant-rules.ts';
import { tenantToProto, userToProto } from '../to-proto.ts';
import { Invitation } from './invitation.ts';
import { tellInvitationChanged } from './tell-invitation-changed.ts';

type Reply = MessageInitShape<typeof AcceptInvitationResponseSchema>;

const findInvitation = async (em: EntityManager, token: string, now: Date): Promise<Invitation> => {
  const proof = readLinkToken(token);
  const found = proof ? await em.findOne(Invitation, { id: proof.id, status: 'PENDING', expiresAt: { $gt: now } }) : null;
  if (!proof || !found || !isHashOf(found.tokenHash, proof)) throw new AppError('LINK_NOT_VALID');
  return found;
};

/**
 * Refuses what whoever has invited could not give any more. Their row stays as it is until the transaction ends: what they lose at this
 * moment they had still, or they have it no more. Errors: LINK_NOT_VALID.
 */
const assertStillGiven = async (em: EntityManager, { tenantId, invitedBy, orgRoles }: Invitation): Promise<void> => {
  const [inviter] = await em.execute<{ orgRoles: OrgRole[] }[]>(
    `select u.org_roles as "orgRoles" from app_user u join account a on a.id = u.id
      where u.tenant_id = ? and u.id = ? and u.active and a.active for share of u`,
    [tenantId, invitedBy],
  );
  if (!inviter || rolesBeyond(inviter, orgRoles).length > 0) throw new AppError('LINK_NOT_VALID');
};

/** Uses the invitation up and makes the account's person a user of its tenant. */
const join = async (ctx: Ctx, invitation: Invitation, account: Account): Promise<Reply> => {
  const { id, tenantId, orgRoles, version } = invitation;
  await assertStillGiven(ctx.em, invitation);
  const tenant = await ctx.em.findOneOrFail(Tenant, { id: tenantId }, { lockMode: LockMode.PESSIMISTIC_READ });
  if (tenant.status === 'SUSPENDED') throw new AppError('TENANT_SUSPENDED');
  // The version: an invitation that was renewed in between is another one.
  const where = { id, version, status: 'PENDING' as const, expiresAt: { $gt: ctx.now() } };
  const accepted = await ctx.em.nativeUpdate(Invitation, where, { status: 'ACCEPTED', version: raw('version + 1') });
  if (accepted === 0) throw new AppError('LINK_NOT_VALID');
  const self = actingAs({ ...ctx, tenantId }, account);
  tellInvitationChanged(self, id, 'INVITATION_ACCEPTED', { status: { before: 'PENDING', after: 'ACCEPTED' } });
  const user = await addUser(self, account, orgRoles);
  return { user: userToProto(user), tenant: tenantToProto(tenant) };
};

const refuseFields = (fields: Record<string, string>) => {
  for (const [name, value] of Object.entries(fields)) {
    if (value !== '') throw invalidField(`/${name}`, 'must be left out: there is an account with this address; sign in with its password');
  }
};

/**
 * Joins a tenant by a mailed link, which proves the address. Without an account one is made. An account whose address nobody has verified
 * gets the password given here and loses its sessions: whoever made it need not be the one who reads the mail.
 * Errors: LINK_NOT_VALID, INVALID_FIELDS, PASSWORD_TOO_WEAK, TENANT_SUSPENDED, EMAIL_TAKEN.
 */
export const acceptInvitation = async (
  call: Call,
  { provider, settings }: { provider: IdentityProvider; settings: Settings },
  request: AcceptInvitationRequest,
): Promise<Reply> => {
  const { token, password, firstName, lastName } = request;
  const { invitation, known, minLength } = await call.read(async ({ em, now }) => {
    const found = await findInvitation(em, token, now());
    const account = await em.findOne(Account, { email: found.email });
    // It may have been sent before the tenant took certain domains only.
    await assertDomainIn(em, settings, [found.tenantId], { email: found.email, pointer: '/token' });
    const tenants = [found.tenantId, ...(account ? await tenantsOf(em, account.id) : [])];
    return { invitation: found, known: account, minLength: await passwordLengthIn(em, settings, tenants) };
  }, 'all-tenants');
  const write = (work: (ctx: Ctx) => Promise<Reply>) => call.writeOnce<typeof AcceptInvitationResponseSchema>(work, 'all-tenants');
  const lockKnown = async (ctx: Ctx): Promise<Account> => {
    const account = await ctx.em.findOne(Account, { id: known?.id, email: invitation.email }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    // It has moved to another address in between.
    if (!account) throw new AppError('LINK_NOT_VALID');
    return account;
  };

  if (!known) {
    return provider.withAccount({ email: invitation.email, firstName, lastName, password, minLength }, (prepared) =>
      write(async (ctx) => {
        const account = await prepared.add(ctx);
        account.verified = true;
        await ctx.em.flush();
        return join(ctx, invitation, account);
      }),
    );
  }
  refuseFields({ firstName, lastName });
  if (known.verified) {
    refuseFields({ password });
    return write(async (ctx) => join(ctx, invitation, await lockKnown(ctx)));
  }
  return provider.withPassword(known, { password, minLength }, (set) =>
    write(async (ctx) => {
      const account = await lockKnown(ctx);
      await replacePassword(actingAs(ctx, account), account, set);
      return join(ctx, invitation, account);
    }),
  );
};
