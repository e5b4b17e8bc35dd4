import { noTenant } from '@accessops/db';
import { untilAlike } from '@accessops/testing';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../src/local/password-hash.ts';
import {
  anonymously,
  asPlatform,
  codeOf,
  fieldsOf,
  type Harness,
  isAbout,
  logIn,
  newTenant,
  password,
  startHarness,
  type TestTenant,
  unique,
} from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
});
afterAll(() => harness.close());

const login = async (changes: object) => harness.client.login({ email: acme.admin.email, password, ...changes }, await anonymously());

/** Makes a person a user of a second tenant, which no call does yet. */
const join = async (tenant: TestTenant, { id, email }: { id: string; email: string }) =>
  harness.admin.query(
    `insert into app_user (tenant_id, id, email, first_name, last_name, org_roles, version, created_at, updated_at)
     values ($1, $2, $3, 'Second', 'Name', '{requester}', 1, now(), now())`,
    [tenant.id, id, email],
  );

const addAccount = async (realmRoles: string[]) => {
  const email = `${unique('staff')}@accessops.test`;
  await harness.admin.query(
    `insert into account (id, email, password_hash, realm_roles, first_name, last_name, version, created_at, updated_at)
     values (gen_random_uuid(), $1, $2, $3, 'Root', 'Staff', 1, now(), now())`,
    [email, await hashPassword(password), realmRoles],
  );
  return email;
};

test('when someone logs in, then the access token has the claims of a Keycloak token', async () => {
  const session = await logIn(harness, acme.admin.email);
  const { jwksJson } = await harness.client.getJwks({}, await anonymously());
  const { payload, protectedHeader } = await jwtVerify(session.accessToken, createLocalJWKSet(JSON.parse(jwksJson)), {
    issuer: 'http://accessops.test',
    audience: 'accessops-app',
    algorithms: ['RS256'],
    typ: 'at+jwt',
  });
  expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: expect.any(String) });
  expect(payload).toEqual({
    iss: 'http://accessops.test',
    aud: ['accessops-app'],
    sub: acme.admin.id,
    sid: session.sessionId,
    jti: expect.any(String),
    azp: 'accessops-app',
    acr: 'aal1',
    amr: ['pwd'],
    email: acme.admin.email,
    given_name: 'Ada',
    family_name: 'Admin',
    organization: { [acme.slug]: { id: acme.id, groups: ['/admin'] } },
    iat: expect.any(Number),
    exp: (payload.iat ?? 0) + 900,
  });
  expect(session.expiresIn).toBe(900);
  expect(session.refreshExpiresIn).toSatisfy(isAbout(7 * 24 * 3600));
  expect(session.refreshToken).toMatch(/^[\w-]{43}$/);
});

test('when a session starts, then it is told, without a secret, and the refresh token is stored as a hash', async () => {
  const session = await logIn(harness, acme.admin.email);
  const events = (await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === session.sessionId);
  expect(events).toMatchObject([
    {
      type: 'SessionStarted',
      action: 'SESSION_STARTED',
      entityType: 'SESSION',
      actor: { id: acme.admin.id, type: 'user', email: acme.admin.email },
      changes: { userId: { after: acme.admin.id }, audience: { after: 'app' } },
    },
  ]);
  expect(events[0]?.payload.includes(session.refreshToken)).toBe(false);
  const { rows } = await harness.admin.query('select hash from refresh_token where session_id = $1', [session.sessionId]);
  expect(rows).toHaveLength(1);
  expect(rows[0].hash).toHaveLength(32);
});

test('when the address is written in capitals, then it is the same', async () => {
  expect((await logIn(harness, acme.admin.email.toUpperCase())).subject).toBe(acme.admin.id);
});

test.each([
  ['the password is wrong', { password: 'quarry lamp seven bridgez' }],
  ['the password is empty', { password: '' }],
  ['the password is a megabyte', { password: 'x'.repeat(1_000_000) }],
  ['the address is unknown', { email: 'nobody@nowhere.test' }],
  ['the address is none', { email: "' or 1=1 --" }],
  ['the address holds NUL', { email: 'a\u0000@nowhere.test' }],
  ['the tenant is not theirs', { tenant: 'globex' }],
  ['the tenant is a statement', { tenant: "'; drop table session; --" }],
])('when %s, then it is INVALID_CREDENTIALS and no more', async (_, changes) => {
  const failure = await login(changes).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'INVALID_CREDENTIALS',
    message: 'The e-mail address or the password is wrong.',
    fields: [],
    members: {},
  });
});

test('when an address is unknown, then the answer takes as long as for a wrong password', async () => {
  const guess = async (email: string) =>
    expect(await codeOf(login({ email, password: 'not the right password' }))).toBe('INVALID_CREDENTIALS');
  // Without the hash of nobody's the ratio would be beyond five.
  const ratio = await untilAlike(
    () => guess(acme.admin.email),
    () => guess(`${unique('nobody')}@nowhere.test`),
    { rounds: 10, between: [0.6, 1.7] },
  );
  expect(ratio).toBeLessThan(1.7);
});

test('when the org console is asked for, then the token carries both audiences, and only admins, managers and auditors get it', async () => {
  for (const role of ['admin', 'manager', 'auditor']) {
    const person = await acme.add(unique(role), [role]);
    const { claims } = await logIn(harness, person.email, { audience: 'org-admin' });
    expect(claims).toMatchObject({ aud: ['accessops-app', 'accessops-org-admin'], azp: 'accessops-org-admin' });
  }
  for (const role of ['approver', 'requester']) {
    const person = await acme.add(unique(role), [role]);
    expect(await codeOf(login({ email: person.email, audience: 'org-admin' }))).toBe('AUDIENCE_NOT_ALLOWED');
    expect((await logIn(harness, person.email)).claims.aud).toEqual(['accessops-app']);
  }
});

test('when the platform console is asked for, then only platform staff get it, and only its token names their roles', async () => {
  expect(await codeOf(login({ audience: 'admin' }))).toBe('AUDIENCE_NOT_ALLOWED');
  for (const role of ['platform-admin', 'platform-support']) {
    const email = await addAccount([role]);
    const admin = await logIn(harness, email, { audience: 'admin' });
    expect(admin.claims).toMatchObject({ aud: ['accessops-admin'], azp: 'accessops-admin', realm_access: { roles: [role] } });
    expect(admin.claims).not.toHaveProperty('organization');
    const app = await logIn(harness, email);
    expect(app.claims).not.toHaveProperty('realm_access');
    const told = await harness.eventsOf(noTenant);
    expect(told.filter(({ entityId }) => entityId === admin.sessionId)).toMatchObject([{ action: 'SESSION_STARTED' }]);
  }
});

test('when an audience is unknown, then the field is named', async () => {
  expect(await fieldsOf(login({ audience: 'root' }))).toEqual(['/audience']);
});

test('when someone belongs to several tenants, then the session is good in the one that was named, or in all of them', async () => {
  const [first, second] = [await newTenant(harness), await newTenant(harness)];
  await join(second, first.admin);
  const { email } = first.admin;
  const all = {
    [first.slug]: { id: first.id, groups: ['/admin'] },
    [second.slug]: { id: second.id, groups: ['/requester'] },
  };
  const both = await logIn(harness, email);
  expect(both.claims).toMatchObject({ given_name: 'Ada', organization: all });
  const again = await harness.client.refresh({ refreshToken: both.refreshToken }, await anonymously());
  expect(decodeJwt(again.accessToken).organization).toEqual(all);
  expect((await logIn(harness, email, { tenant: first.slug })).claims.organization).toEqual({
    [first.slug]: { id: first.id, groups: ['/admin'] },
  });
  expect((await logIn(harness, email, { tenant: second.slug })).claims).toMatchObject({
    given_name: 'Second',
    organization: { [second.slug]: { id: second.id, groups: ['/requester'] } },
  });
  expect(await codeOf(login({ email, tenant: second.slug, audience: 'org-admin' }))).toBe('AUDIENCE_NOT_ALLOWED');
});

test('when someone belongs to no tenant, then the session has none', async () => {
  const email = `${unique('p')}@people.test`;
  await harness.client.register({ email, password, firstName: 'No', lastName: 'Where' }, await anonymously());
  expect((await logIn(harness, email)).claims).not.toHaveProperty('organization');
});

test('when a user or an account is deactivated, then it is answered like a wrong password', async () => {
  const tenant = await newTenant(harness);
  const person = await tenant.add('leaver', ['requester']);
  await harness.client.updateUser({ id: person.id, active: false }, await tenant.asAdmin());
  expect(await codeOf(login({ email: person.email }))).toBe('INVALID_CREDENTIALS');
  await harness.client.updateUser({ id: person.id, active: true }, await tenant.asAdmin());
  expect(await codeOf(login({ email: person.email }))).toBe('ok');
  await harness.admin.query('update account set active = false where id = $1', [person.id]);
  expect(await codeOf(login({ email: person.email }))).toBe('INVALID_CREDENTIALS');
});

test('when the tenant is suspended, then only someone with the right password hears so', async () => {
  const tenant = await newTenant(harness);
  await harness.client.suspendTenant({ id: tenant.id }, await asPlatform());
  const { email } = tenant.admin;
  expect(await codeOf(login({ email }))).toBe('TENANT_SUSPENDED');
  expect(await codeOf(login({ email, password: 'not the right password' }))).toBe('INVALID_CREDENTIALS');
});

test('when a login runs against a deactivation, then no session of the deactivated user is left alive', async () => {
  const tenant = await newTenant(harness);
  for (let round = 0; round < 10; round++) {
    const person = await tenant.add(`racer${round}`, ['requester']);
    const options = await tenant.asAdmin();
    await Promise.all([codeOf(login({ email: person.email })), harness.client.updateUser({ id: person.id, active: false }, options)]);
    const { rowCount } = await harness.admin.query('select 1 from session where account_id = $1 and ended_at is null', [person.id]);
    expect(rowCount).toBe(0);
  }
});
