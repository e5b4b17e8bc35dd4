import { AppError } from '@accessops/errors';
import { expect, test } from 'vitest';
import { chooseMembership, type Membership, parseAudience, type SessionWish } from './choose-membership.ts';

const acme: Membership = {
  tenantId: 'a',
  slug: 'acme',
  status: 'ACTIVE',
  active: true,
  orgRoles: ['requester'],
  firstName: 'Ada',
  lastName: 'Doe',
};
const globex: Membership = { ...acme, tenantId: 'g', slug: 'globex' };

const choose = (wish: Partial<SessionWish>): string | null => {
  try {
    return chooseMembership({ memberships: [acme], realmRoles: [], audience: 'app', tenant: '', ...wish })?.slug ?? null;
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
};

test('when someone belongs to one tenant, then it is that one, named or not', () => {
  expect(choose({})).toBe('acme');
  expect(choose({ tenant: 'acme' })).toBe('acme');
});

test('when someone belongs to several tenants, then one must be named', () => {
  expect(choose({ memberships: [acme, globex] })).toBe('TENANT_REQUIRED');
  expect(choose({ memberships: [acme, globex], tenant: 'globex' })).toBe('globex');
});

test('when a tenant is named that is not theirs, then it is answered like a wrong password', () => {
  expect(choose({ tenant: 'globex' })).toBe('INVALID_CREDENTIALS');
  expect(choose({ memberships: [acme, { ...globex, active: false }], tenant: 'globex' })).toBe('INVALID_CREDENTIALS');
});

test('when someone belongs to no tenant, then the session has none', () => {
  expect(choose({ memberships: [] })).toBe(null);
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
  expect(choose({ memberships: [], realmRoles: ['platform-admin'], audience: 'admin' })).toBe(null);
  expect(choose({ realmRoles: ['platform-support'], audience: 'admin' })).toBe(null);
});

test('when an audience is unknown, then the field is named', () => {
  expect(parseAudience('')).toBe('app');
  expect(() => parseAudience('root')).toThrow(
    expect.objectContaining({ code: 'INVALID_FIELDS', fields: [expect.objectContaining({ pointer: '/audience' })] }),
  );
});
