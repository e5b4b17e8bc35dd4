import type { RealmRole } from '../realm-role.ts';
import type { Audience } from '../session.ts';
import type { Grant } from './access-token.ts';
import type { Membership } from './choose-membership.ts';

/** Of an account what tokens tell. */
export interface Holder {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  realmRoles: RealmRole[];
}

/** What the access tokens of a session tell; the tenant's names of a person go before those of the account. */
export const grantOf = (sessionId: string, audience: Audience, holder: Holder, membership: Membership | null): Grant => ({
  sessionId,
  subject: holder.id,
  audience,
  email: holder.email,
  firstName: membership?.firstName ?? holder.firstName,
  lastName: membership?.lastName ?? holder.lastName,
  organization: membership && { id: membership.tenantId, slug: membership.slug, orgRoles: membership.orgRoles },
  realmRoles: holder.realmRoles,
});
