import { expect, test } from 'vitest';
import { claimsOf, type Grant } from './access-token.ts';

const grant: Grant = {
  sessionId: 'sid',
  subject: 'sub',
  audience: 'app',
  email: 'ada@acme.test',
  firstName: 'Ada',
  lastName: 'Doe',
  organizations: [{ id: 'tenant', slug: 'acme', orgRoles: ['admin', 'approver'] }],
  realmRoles: ['platform-admin'],
  secondFactor: false,
};

test('when the session is in a tenant, then its org roles are groups', () => {
  expect(claimsOf(grant)).toMatchObject({ organization: { acme: { id: 'tenant', groups: ['/admin', '/approver'] } } });
});

test('when the session is in no tenant, then there is no organisation', () => {
  expect(claimsOf({ ...grant, organizations: [] })).not.toHaveProperty('organization');
});

test('when the session is not for the platform console, then platform roles are not named', () => {
  for (const audience of ['app', 'org-admin'] as const) expect(claimsOf({ ...grant, audience })).not.toHaveProperty('realm_access');
  expect(claimsOf({ ...grant, audience: 'admin' })).toMatchObject({ realm_access: { roles: ['platform-admin'] } });
});

test('when a second factor was proved, then the token says so', () => {
  expect(claimsOf(grant)).toMatchObject({ acr: 'aal1', amr: ['pwd'] });
  expect(claimsOf({ ...grant, secondFactor: true })).toMatchObject({ acr: 'aal2', amr: ['pwd', 'otp'] });
});
