import { AppError, invalidField } from '@accessops/errors';
import type { OrgRole } from '../org-role.ts';
import { type RealmRole, realmRoles } from '../realm-role.ts';
import type { Audience } from '../session.ts';
import type { TenantStatus } from '../tenant.ts';

/** A person's place in one tenant, as a session needs it. */
export interface Membership {
  tenantId: string;
  slug: string;
  status: TenantStatus;
  active: boolean;
  orgRoles: OrgRole[];
  firstName: string;
  lastName: string;
}

const consoleRoles: OrgRole[] = ['admin', 'manager', 'auditor'];

/** The audience that was asked for; app by default. Errors: INVALID_FIELDS. */
export const parseAudience = (value: string): Audience => {
  if (value === '' || value === 'app') return 'app';
  if (value === 'org-admin' || value === 'admin') return value;
  throw invalidField('/audience', 'must be app, org-admin or admin');
};

export interface SessionWish {
  memberships: Membership[];
  realmRoles: RealmRole[];
  audience: Audience;
  /** Slug; empty when none was named. */
  tenant: string;
}

/**
 * In which tenant a session is held; null for one of no tenant: of platform staff and of people who belong nowhere yet.
 * Whoever is deactivated in a tenant does not belong to it. A tenant that is not the person's own is answered like a wrong password.
 * Errors: INVALID_CREDENTIALS, AUDIENCE_NOT_ALLOWED, TENANT_REQUIRED, TENANT_SUSPENDED.
 */
export const chooseMembership = ({ memberships, realmRoles: held, audience, tenant }: SessionWish): Membership | null => {
  const own = memberships.filter(({ active }) => active);
  const isStaff = held.some((role) => realmRoles.includes(role));
  const named = own.find(({ slug }) => slug === tenant);
  if (tenant !== '' && !named) throw new AppError('INVALID_CREDENTIALS');
  if (audience === 'admin' && isStaff) return null;
  if (memberships.length > 0 && own.length === 0) throw new AppError('INVALID_CREDENTIALS');
  if (audience === 'admin') throw new AppError('AUDIENCE_NOT_ALLOWED');
  if (!named && own.length > 1) throw new AppError('TENANT_REQUIRED', 'You belong to several tenants: name one');
  const chosen = named ?? own[0] ?? null;
  if (chosen?.status === 'SUSPENDED') throw new AppError('TENANT_SUSPENDED');
  if (audience === 'org-admin' && !chosen?.orgRoles.some((role) => consoleRoles.includes(role))) {
    throw new AppError('AUDIENCE_NOT_ALLOWED');
  }
  return chosen;
};
