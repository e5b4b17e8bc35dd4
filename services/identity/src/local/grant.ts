import type { Membership } from '../memberships.ts';
import type { RealmRole } from '../realm-role.ts';
import type { Audience } from '../session.ts';
import type { Grant } from './access-token.ts';

/** Of an account what tokens tell. */
export interface Holder {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  realmRoles: RealmRole[];
}

const namesOf = ({ firstName, lastName }: { firstName: string; lastName: string }) => ({ firstName, lastName });

/** What the access tokens of a session tell; the names of a person in their only tenant go before those of the account. */
export const grantOf = (sessionId: string, audience: Audience, holder: Holder, memberships: Membership[]): Grant => ({
  sessionId,
  subject: holder.id,
  audience,
  email: holder.email,
  ...namesOf(memberships.length === 1 ? (memberships[0] ?? holder) : holder),
  organizations: memberships.map(({ tenantId, slug, orgRoles }) => ({ id: tenantId, slug, orgRoles })),
  realmRoles: holder.realmRoles,
});
