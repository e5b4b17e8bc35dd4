import type { Account } from '../account.ts';
import type { Audience } from '../session.ts';
import type { Grant } from './access-token.ts';
import type { Membership } from './choose-membership.ts';

/** What the access tokens of a session tell; the tenant's names of a person go before those of the account. */
export const grantOf = ({
  sessionId,
  account,
  audience,
  membership,
}: {
  sessionId: string;
  account: Account;
  audience: Audience;
  membership: Membership | null;
}): Grant => ({
  sessionId,
  subject: account.id,
  audience,
  email: account.email,
  firstName: membership?.firstName ?? account.firstName,
  lastName: membership?.lastName ?? account.lastName,
  organization: membership && { id: membership.tenantId, slug: membership.slug, orgRoles: membership.orgRoles },
  realmRoles: account.realmRoles,
});
