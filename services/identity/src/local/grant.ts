import { noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { type Membership, membershipsOf } from '../memberships.ts';
import type { RealmRole } from '../realm-role.ts';
import type { Audience } from '../session.ts';
import type { Grant } from './access-token.ts';
import { chooseMemberships } from './choose-memberships.ts';
import { secondFactorMs } from './lifetimes.ts';

/** Of an account what tokens tell. */
export interface Holder {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  realmRoles: RealmRole[];
}

/** A session that was started or goes on: what its access token tells, and the refresh token that comes with it. */
export interface Issued {
  grant: Grant;
  refreshToken: string;
  expiresAt: Date;
}

/** Of a session what tokens tell. */
export interface SessionFacts {
  id: string;
  audience: Audience;
  /** Whether a second factor was proved, and counts. */
  secondFactor: boolean;
}

const namesOf = ({ firstName, lastName }: { firstName: string; lastName: string }) => ({ firstName, lastName });

/** What the access tokens of a session tell; the names of a person in their only tenant go before those of the account. */
export const grantOf = ({ id, audience, secondFactor }: SessionFacts, holder: Holder, memberships: Membership[]): Grant => ({
  sessionId: id,
  subject: holder.id,
  audience,
  email: holder.email,
  ...namesOf(memberships.length === 1 ? (memberships[0] ?? holder) : holder),
  organizations: memberships.map(({ tenantId, slug, orgRoles }) => ({ id: tenantId, slug, orgRoles })),
  realmRoles: holder.realmRoles,
  secondFactor,
});

/** A session that goes on, with whoever holds it. */
export interface SessionRow extends Holder {
  sessionId: string;
  tenantId: string;
  audience: Audience;
  expiresAt: string;
  secondFactorAt: string | null;
  active: boolean;
}

/** SQL that reads a SessionRow of each session in a table expression. */
export const sessionRowsOf = (sessions: string): string => `
  select s.id as "sessionId", s.tenant_id as "tenantId", s.audience, s.expires_at as "expiresAt", s.second_factor_at as "secondFactorAt",
         a.id, a.email, a.active, a.first_name as "firstName", a.last_name as "lastName", a.realm_roles as "realmRoles"
    from ${sessions} s join account a on a.id = s.account_id`;

/**
 * What a session that goes on may tell now. Errors: INVALID_REFRESH_TOKEN when its holder is deactivated, AUDIENCE_NOT_ALLOWED,
 * TENANT_SUSPENDED.
 */
export const continuedGrant = async ({ em, now }: Ctx, row: SessionRow): Promise<Grant> => {
  const { sessionId, tenantId, audience, active, realmRoles, secondFactorAt } = row;
  const memberships = (await membershipsOf(em, row.id)).filter((membership) => tenantId === noTenant || membership.tenantId === tenantId);
  const belongs = memberships.some((membership) => membership.active) || (tenantId === noTenant && audience === 'admin');
  const isNowhere = tenantId === noTenant && memberships.length === 0;
  if (!active || !(belongs || isNowhere)) throw new AppError('INVALID_REFRESH_TOKEN');
  const chosen = chooseMemberships({ memberships, realmRoles, audience, tenant: '' });
  const secondFactor = secondFactorAt !== null && now().getTime() - new Date(secondFactorAt).getTime() < secondFactorMs;
  return grantOf({ id: sessionId, audience, secondFactor }, row, chosen);
};
