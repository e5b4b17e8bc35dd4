import { AppError } from '@accessops/errors';
import { expect, test } from 'vitest';
import type { Membership } from '../memberships.ts';
import { chooseMemberships, parseAudience, type SessionWish } from './choose-memberships.ts';

const acme: Membership = {
  tenantId: 'a',
  slug: 'acme',
  status: 'ACTIVE',
  active: true,
  orgRoles: ['requester'],
  hasPermissions: false,
  firstName: 'Ada',
  lastName: 'Doe',
};
const globex: Membership = { ...acme, tenantId: 'g', slug: 'globex' };

const choose = (wish: Partial<SessionWish>): string => {
  try {
    const chosen = chooseMemberships({ memberships: [acme], realmRoles: [], audience: 'app', tenant: '', ...wish });
    return chosen.map(({ slug }) => slug).join(' ');
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
};

test('when someone belongs to one tenant, then it is that one, named or not', () => {
  expect(choose({})).toBe('acme');
  expect(choose({ tenant: 'acme' })).toBe('acme');
});

test('when someone belongs to several tenants, then the session is good in all of them, or in the one that was named', () => {
  expect(choose({ memberships: [acme, globex] })).toBe('acme globex');
  expect(choose({ memberships: [acme, globex], tenant: 'globex' })).toBe('globex');
});

test('when a tenant is named that is not theirs, then it is answered like a wrong password', () => {
  expect(choose({ tenant: 'globex' })).toBe('INVALID_CREDENTIALS');
  expect(choose({ memberships: [acme, { ...globex, active: false }], tenant: 'globex' })).toBe('INVALID_CREDENTIALS');
});

test('when someone belongs to no tenant, then the session has none', () => {
  expect(choose({ memberships: [] })).toBe('');
  expect(choose({ memberships: [], audience: 'org-admin' })).toBe('AUDIENCE_NOT_ALLOWED');
});

test('when someone was deactivated, then it is answered like a wrong password, whatever the audience', () => {
  const memberships = [{ ...acme, active: false }];
  for (const audience of ['app', 'org-admin', 'admin'] as const) expect(choose({ memberships, audience })).toBe('INVALID_CREDENTIALS');
});

test('when someone was deactivated in one of two tenants, then the other is the only one', () => {
  expect(choose({ memberships: [acme, { ...globex, active: false }] })).toBe('acme');
});

test('when the tenant is suspended, then nobody gets a session in it', () => {
  const memberships: Membership[] = [{ ...acme, status: 'SUSPENDED', orgRoles: ['admin'] }];
  for (const audience of ['app', 'org-admin'] as const) expect(choose({ memberships, audience })).toBe('TENANT_SUSPENDED');
});

test('when one of several tenants is suspended, then the session is good in the others', () => {
  const suspended: Membership = { ...globex, status: 'SUSPENDED' };
  expect(choose({ memberships: [acme, suspended] })).toBe('acme globex');
  expect(choose({ memberships: [acme, suspended], tenant: 'globex' })).toBe('TENANT_SUSPENDED');
  expect(choose({ memberships: [{ ...acme, status: 'SUSPENDED' }, suspended] })).toBe('TENANT_SUSPENDED');
});

test('when the org console is asked for, then a role in one of several tenants is enough', () => {
  const manager: Membership = { ...globex, orgRoles: ['manager'] };
  expect(choose({ memberships: [acme, manager], audience: 'org-admin' })).toBe('acme globex');
  expect(choose({ memberships: [acme, manager], audience: 'org-admin', tenant: 'acme' })).toBe('AUDIENCE_NOT_ALLOWED');
});

test.each([
  ['admin', 'acme'],
  ['manager', 'acme'],
  ['auditor', 'acme'],
  ['approver', 'AUDIENCE_NOT_ALLOWED'],
  ['requester', 'AUDIENCE_NOT_ALLOWED'],
] as const)('when an %s asks for the org console, then the answer is %s', (role, answer) => {
  expect(choose({ memberships: [{ ...acme, orgRoles: [role] }], audience: 'org-admin' })).toBe(answer);
});

test('when the platform console is asked for, then only platform staff get it, in no tenant', () => {
  expect(choose({ memberships: [{ ...acme, orgRoles: ['admin'] }], audience: 'admin' })).toBe('AUDIENCE_NOT_ALLOWED');
  expect(choose({ memberships: [], realmRoles: ['platform-admin'], audience: 'admin' })).toBe('');
  expect(choose({ realmRoles: ['platform-support'], audience: 'admin' })).toBe('');
});

test('when an audience is unknown, then the field is named', () => {
  expect(parseAudience('')).toBe('app');
  expect(() => parseAudience('root')).toThrow(
    expect.objectContaining({ code: 'INVALID_FIELDS', fields: [expect.objectContaining({ pointer: '/audience' })] }),
  );
});
