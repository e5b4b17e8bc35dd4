import { AppError, invalidField } from '@accessops/errors';
import type { Membership } from '../memberships.ts';
import type { OrgRole } from '../org-role.ts';
import { type RealmRole, realmRoles } from '../realm-role.ts';
import type { Audience } from '../session.ts';

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
 * In which tenants a session is good: the one that was named, or all of the person's; none for platform staff in their console and for
 * people who belong nowhere yet. Whoever is deactivated in a tenant does not belong to it. A tenant that is not the person's own is
 * answered like a wrong password. Errors: INVALID_CREDENTIALS, AUDIENCE_NOT_ALLOWED, TENANT_SUSPENDED.
 */
export const chooseMemberships = ({ memberships, realmRoles: held, audience, tenant }: SessionWish): Membership[] => {
  const own = memberships.filter(({ active }) => active);
  const isStaff = held.some((role) => realmRoles.includes(role));
  const named = own.find(({ slug }) => slug === tenant);
  if (tenant !== '' && !named) throw new AppError('INVALID_CREDENTIALS');
  if (audience === 'admin' && isStaff) return [];
  if (memberships.length > 0 && own.length === 0) throw new AppError('INVALID_CREDENTIALS');
  if (audience === 'admin') throw new AppError('AUDIENCE_NOT_ALLOWED');
  const chosen = named ? [named] : own;
  if (chosen.length > 0 && chosen.every(({ status }) => status === 'SUSPENDED')) throw new AppError('TENANT_SUSPENDED');
  // Of several, each call names one, and its roles there decide.
  const forConsole = ({ orgRoles, hasPermissions }: Membership) => hasPermissions || orgRoles.some((role) => consoleRoles.includes(role));
  if (audience === 'org-admin' && !chosen.some(forConsole)) throw new AppError('AUDIENCE_NOT_ALLOWED');
  return chosen;
};
