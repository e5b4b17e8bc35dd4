import { newId } from '@accessops/db';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { as, asGateway, asPlatform, codeOf, type Harness, logIn, newTenant, startHarness, type TestTenant } from './harness.ts';

let harness: Harness;
let acme: TestTenant;
let globex: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  [acme, globex] = [await newTenant(harness), await newTenant(harness)];
});
afterEach(() => {
  harness.clock.skipMs = 0;
});
afterAll(() => harness.close());

interface Token {
  subject: string;
  sessionId: string;
}

const resolve = async ({ subject, sessionId }: Token, organizations = [acme.slug], tenant = '') =>
  harness.client.resolvePrincipal({ subject, sessionId, organizations, tenant }, await asGateway());

test('when a session is alive, then person, tenant, roles and teams come out of the database', async () => {
  const person = await acme.add('resolved', ['requester']);
  const token = await logIn(harness, person.email);
  await harness.client.updateMembership({ userId: person.id, orgRoles: ['approver'] }, await acme.asAdmin());
  const [team, other] = [
    await harness.client.createTeam({ name: 'Zebras' }, await acme.asAdmin()),
    await harness.client.createTeam({ name: 'Data' }, await acme.asAdmin()),
  ];
  await harness.client.addTeamMember({ teamId: team.id, userId: person.id, role: 'member' }, await acme.asAdmin());
  await harness.client.addTeamMember({ teamId: other.id, userId: person.id, role: 'lead' }, await acme.asAdmin());
  expect(await resolve(token)).toMatchObject({
    id: person.id,
    email: person.email,
    tenant: { id: acme.id, slug: acme.slug, name: `Org ${acme.slug}`, status: 'ACTIVE' },
    orgRoles: ['approver'],
    realmRoles: [],
    teams: [
      { id: other.id, name: 'Data', role: 'lead' },
      { id: team.id, name: 'Zebras', role: 'member' },
    ],
  });
});

test('when a tenant is named, then it must be one of the token', async () => {
  const token = await logIn(harness, acme.admin.email);
  expect((await resolve(token, [acme.slug], acme.slug)).tenant?.id).toBe(acme.id);
  expect(await codeOf(resolve(token, [acme.slug], globex.slug))).toBe('NOT_A_MEMBER');
  expect(await codeOf(resolve(token, [acme.slug], 'no-such'))).toBe('NOT_A_MEMBER');
});

test('when the token names a tenant that the person does not belong to, then it is NOT_A_MEMBER', async () => {
  const token = await logIn(harness, acme.admin.email);
  expect(await codeOf(resolve(token, [acme.slug, globex.slug], globex.slug))).toBe('NOT_A_MEMBER');
});

test('when the session is over, expired, of somebody else or none, then it is SESSION_ENDED', async () => {
  const token = await logIn(harness, acme.admin.email);
  expect(await codeOf(resolve({ ...token, sessionId: newId() }))).toBe('SESSION_ENDED');
  expect(await codeOf(resolve({ ...token, subject: globex.admin.id }))).toBe('SESSION_ENDED');
  expect(await codeOf(resolve({ subject: "' or true --", sessionId: 'no uuid' }))).toBe('SESSION_ENDED');
  harness.clock.skipMs = 7 * 24 * 3_600_000 + 1000;
  expect(await codeOf(resolve(token))).toBe('SESSION_ENDED');
});

test('when the user is deactivated, then they are refused at once and their sessions do not come back', async () => {
  const person = await acme.add('leaving', ['requester']);
  const token = await logIn(harness, person.email);
  await harness.client.updateUser({ id: person.id, active: false }, await acme.asAdmin());
  expect(await codeOf(resolve(token))).toBe('SESSION_ENDED');
  await harness.client.updateUser({ id: person.id, active: true }, await acme.asAdmin());
  expect(await codeOf(resolve(token))).toBe('SESSION_ENDED');
});

test('when only the row of the user or account says inactive, then that is enough', async () => {
  const person = await acme.add('silent', ['requester']);
  const token = await logIn(harness, person.email);
  await harness.admin.query('update app_user set active = false where id = $1', [person.id]);
  expect(await codeOf(resolve(token))).toBe('USER_INACTIVE');
  await harness.admin.query('update app_user set active = true where id = $1', [person.id]);
  await harness.admin.query('update account set active = false where id = $1', [person.id]);
  expect(await codeOf(resolve(token))).toBe('USER_INACTIVE');
});

test('when the tenant is suspended, then its people are refused until it is active again', async () => {
  const tenant = await newTenant(harness);
  const token = await logIn(harness, tenant.admin.email);
  await harness.client.suspendTenant({ id: tenant.id }, await asPlatform());
  expect(await codeOf(resolve(token, [tenant.slug]))).toBe('TENANT_SUSPENDED');
  await harness.client.activateTenant({ id: tenant.id }, await asPlatform());
  expect(await codeOf(resolve(token, [tenant.slug]))).toBe('ok');
});

test('when somebody else than the gateway asks, then it is PERMISSION_DENIED', async () => {
  const { subject, sessionId } = await logIn(harness, acme.admin.email);
  const ask = async (who: Parameters<typeof as>[0]) =>
    codeOf(harness.client.resolvePrincipal({ subject, sessionId, organizations: [acme.slug] }, await as(who)));
  expect(await ask({ type: 'anonymous', id: 'anonymous', audience: 'public' })).toBe('PERMISSION_DENIED');
  expect(await ask({ ...acme.admin, tenantId: acme.id, orgRoles: ['admin', 'gateway'], audience: 'org-admin' })).toBe('PERMISSION_DENIED');
  expect(await ask({ type: 'service', id: 'approvals', audience: 'public' })).toBe('PERMISSION_DENIED');
});

test('when platform staff come in by the app, then their platform roles do not count', async () => {
  const email = `staff@${acme.slug}.test`;
  const staff = await acme.add('staff', ['requester']);
  await harness.admin.query(`update account set realm_roles = '{platform-admin}' where id = $1`, [staff.id]);
  expect(await resolve(await logIn(harness, email))).toMatchObject({ realmRoles: [], tenant: { id: acme.id } });
  const inConsole = await resolve(await logIn(harness, email, { audience: 'admin' }), []);
  expect(inConsole).toMatchObject({ realmRoles: ['platform-admin'], orgRoles: [], teams: [] });
  expect(inConsole.tenant).toBeUndefined();
});

test('when a session of no tenant comes with organisations, then the only one counts, and of several one must be named', async () => {
  const session = newId();
  await harness.admin.query(
    `insert into session (id, tenant_id, account_id, audience, created_at, expires_at)
     values ($1, '00000000-0000-0000-0000-000000000000', $2, 'app', now(), now() + interval '1 day')`,
    [session, acme.admin.id],
  );
  const token = { subject: acme.admin.id, sessionId: session };
  expect((await resolve(token, [acme.slug])).tenant?.slug).toBe(acme.slug);
  expect(await codeOf(resolve(token, [acme.slug, globex.slug]))).toBe('TENANT_REQUIRED');
  expect((await resolve(token, [acme.slug, globex.slug], acme.slug)).tenant?.slug).toBe(acme.slug);
  expect(await codeOf(resolve(token, ['gone']))).toBe('NOT_A_MEMBER');
  expect((await resolve(token, [])).tenant).toBeUndefined();
});
