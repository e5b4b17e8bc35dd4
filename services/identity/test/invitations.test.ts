import { until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  anonymously,
  asPlatform,
  codeOf,
  fieldsOf,
  type Harness,
  logIn,
  newTenant,
  type Person,
  password,
  startHarness,
  type TestTenant,
  unique,
} from './harness.ts';
import { type MailServer, startMailServer } from './mail-server.ts';

let mail: MailServer;
let harness: Harness;
let acme: TestTenant;
let globex: TestTenant;
beforeAll(async () => {
  mail = await startMailServer();
  harness = await startHarness({ SMTP_URL: mail.url });
  [acme, globex] = [await newTenant(harness), await newTenant(harness)];
});
afterEach(() => {
  harness.clock.skipMs = 0;
});
afterAll(async () => {
  await harness.close();
  await mail.stop();
});

const newcomer = { password, firstName: 'Nia', lastName: 'Newcomer' };
const invite = async (tenant: TestTenant, email: string, orgRoles = ['requester']) =>
  harness.client.createInvitation({ email, orgRoles }, await tenant.asAdmin());
const accept = async (token: string, person: object = newcomer) =>
  harness.client.acceptInvitation({ token, ...person }, await anonymously());
const actionsOf = async (tenantId: string, entityId?: string) =>
  (await harness.eventsOf(tenantId)).filter((event) => event.entityId === entityId).map(({ action }) => action);
const address = () => `${unique('guest')}@people.test`;

/** An invitation, and the token that was mailed. */
const invited = async (tenant: TestTenant, email = address(), orgRoles?: string[]) => {
  const before = mail.received.filter(({ to }) => to === email).length;
  const invitation = await invite(tenant, email, orgRoles);
  const { token, text, head } = await mail.mailTo(email, before + 1);
  return { ...invitation, token, text, head };
};

test('when somebody without an account is invited, then the mailed link makes them a user with the roles of the invitation', async () => {
  const { id, email, token, text, head } = await invited(acme, address(), ['approver', 'requester']);
  expect(text).toContain(`Ada Admin invites you to join Org ${acme.slug}`);
  expect(head).toMatch(/^Subject: You are invited to AccessOps\r?$/m);
  const { user, tenant } = await accept(token);
  expect(user).toMatchObject({ email, firstName: 'Nia', lastName: 'Newcomer', orgRoles: ['approver', 'requester'], emailVerified: true });
  expect(tenant).toMatchObject({ id: acme.id, slug: acme.slug });
  expect((await logIn(harness, email)).claims.organization).toHaveProperty([acme.slug]);
  expect(await actionsOf(acme.id, id)).toEqual(['INVITATION_CREATED', 'INVITATION_ACCEPTED']);
  expect(await actionsOf(acme.id, user?.id)).toContain('USER_CREATED');
  const { items } = await harness.client.listInvitations(
    { query: { filters: [{ field: 'email', operator: 1, values: [email] }] } },
    await acme.asAdmin(),
  );
  expect(items).toMatchObject([{ id, status: 'ACCEPTED', invitedBy: acme.admin.id }]);
});

test('when somebody with a verified account is invited, then the link alone makes them a user of a second tenant', async () => {
  const { email, token } = await invited(acme);
  const { user } = await accept(token);
  const second = await invited(globex, email, ['auditor']);
  expect(await fieldsOf(accept(second.token, { password }))).toEqual(['/password']);
  expect(await fieldsOf(accept(second.token))).toEqual(['/firstName']);
  expect((await accept(second.token, {})).user).toMatchObject({
    id: user?.id,
    firstName: 'Nia',
    orgRoles: ['auditor'],
    emailVerified: true,
  });
  const { claims } = await logIn(harness, email);
  expect(Object.keys(claims.organization as object).sort()).toEqual([acme.slug, globex.slug].sort());
});

test('when somebody else has made an account with the address before, then it gets a new password and loses its sessions', async () => {
  const email = address();
  await harness.client.register({ email, password, firstName: 'Eve', lastName: 'Early' }, await anonymously());
  const early = await logIn(harness, email);
  const before = mail.received.filter(({ to }) => to === email).length;
  await until(() => mail.received.filter(({ to }) => to === email).length === 1);
  await invite(acme, email);
  const { token } = await mail.mailTo(email, Math.max(before, 1) + 1);
  const own = 'violet seven quarry stairs';
  expect(await codeOf(accept(token, {}))).toBe('PASSWORD_TOO_WEAK');
  await accept(token, { password: own });
  expect(await codeOf(harness.client.refresh({ refreshToken: early.refreshToken }, await anonymously()))).toBe('INVALID_REFRESH_TOKEN');
  expect(await codeOf(logIn(harness, email))).toBe('INVALID_CREDENTIALS');
  expect((await logIn(harness, email, { password: own })).claims.organization).toHaveProperty([acme.slug]);
});

test('when fields of a newcomer are missing or wrong, then they are named and the invitation stays open', async () => {
  const { token, email } = await invited(acme);
  expect(await fieldsOf(accept(token, { ...newcomer, firstName: '' }))).toEqual(['/firstName']);
  expect(await fieldsOf(accept(token, { ...newcomer, lastName: 'x'.repeat(10_000) }))).toEqual(['/lastName']);
  expect(await fieldsOf(accept(token, { ...newcomer, password: 'password1234' }))).toEqual(['/password']);
  expect((await harness.admin.query('select 1 from account where email = $1', [email])).rowCount).toBe(0);
  expect(await codeOf(accept(token))).toBe('ok');
});

test('when a link was used, is seven days old or was revoked, then it is worth nothing', async () => {
  const used = await invited(acme);
  await accept(used.token);
  expect(await codeOf(accept(used.token, {}))).toBe('LINK_NOT_VALID');

  const old = await invited(acme);
  harness.clock.skipMs = 7 * 24 * 3_600_000 + 1000;
  expect(await codeOf(accept(old.token))).toBe('LINK_NOT_VALID');
  harness.clock.skipMs = 0;

  const revoked = await invited(acme);
  await harness.client.revokeInvitation({ id: revoked.id }, await acme.asAdmin());
  expect(await codeOf(accept(revoked.token))).toBe('LINK_NOT_VALID');
  expect(await actionsOf(acme.id, revoked.id)).toEqual(['INVITATION_CREATED', 'INVITATION_REVOKED']);
  for (const { id } of [used, revoked]) {
    expect(await codeOf(harness.client.revokeInvitation({ id }, await acme.asAdmin()))).toBe('INVITATION_NOT_PENDING');
  }
});

test('when a link is used eight times at once, then one user is made', async () => {
  const { token, email } = await invited(acme);
  const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(accept(token))));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect((await harness.admin.query('select 1 from app_user where email = $1', [email])).rowCount).toBe(1);
});

test('when an address is invited again, then only the last link counts, with the last roles', async () => {
  const first = await invited(acme);
  const second = await invited(acme, first.email, ['auditor']);
  expect(second.id).toBe(first.id);
  expect(await codeOf(accept(first.token))).toBe('LINK_NOT_VALID');
  expect((await accept(second.token)).user?.orgRoles).toEqual(['auditor']);
  expect(await actionsOf(acme.id, first.id)).toEqual(['INVITATION_CREATED', 'INVITATION_RENEWED', 'INVITATION_ACCEPTED']);
});

test('when an address is invited twice at once, then there is one invitation', async () => {
  const email = address();
  const codes = await Promise.all([codeOf(invite(acme, email)), codeOf(invite(acme, email))]);
  expect(codes).toContain('ok');
  expect((await harness.admin.query('select 1 from invitation where email = $1', [email])).rowCount).toBe(1);
});

test('when the address is that of a user, deactivated or not, then it is EMAIL_TAKEN', async () => {
  const person = await acme.add('here-already', ['requester']);
  expect(await codeOf(invite(acme, person.email.toUpperCase()))).toBe('EMAIL_TAKEN');
  await harness.client.updateUser({ id: person.id, active: false }, await acme.asAdmin());
  expect(await codeOf(invite(acme, person.email))).toBe('EMAIL_TAKEN');
  const late = await invited(globex, person.email);
  expect(late.status).toBe('PENDING');
});

test('when the tenant is suspended, then nobody joins it until it is active again', async () => {
  const tenant = await newTenant(harness);
  const { token } = await invited(tenant);
  await harness.client.suspendTenant({ id: tenant.id }, await asPlatform());
  expect(await codeOf(accept(token))).toBe('TENANT_SUSPENDED');
  await harness.client.activateTenant({ id: tenant.id }, await asPlatform());
  expect(await codeOf(accept(token))).toBe('ok');
});

test.each([
  ['/email', { email: 'no address' }],
  ['/email', { email: 'a@b.test\r\nBcc: everybody@b.test' }],
  ['/email', { email: 'a@b.test, c@d.test' }],
  ['/email', { email: '\u0430lice@b.test' }],
  ['/email', { email: `${'a'.repeat(10_000)}@b.test` }],
  ['/orgRoles/0', { orgRoles: ['root'] }],
])('when %s is wrong in %j, then the field is named and nothing is sent', async (pointer, changes) => {
  const before = await harness.admin.query('select count(*) from invitation');
  const call = harness.client.createInvitation({ email: address(), orgRoles: ['requester'], ...changes }, await acme.asAdmin());
  expect(await fieldsOf(call)).toEqual([pointer]);
  expect((await harness.admin.query('select count(*) from invitation')).rows).toEqual(before.rows);
});

/** The token of an invitation that somebody with these roles has sent. */
const invitedBy = async (boss: Person, roles: string[], orgRoles: string[]) => {
  const email = address();
  await harness.client.createInvitation({ email, orgRoles }, await acme.as(boss, roles));
  return (await mail.mailTo(email)).token;
};

test('when whoever has invited is deactivated or has lost the roles, then the link is worth nothing, until they have them again', async () => {
  const boss = await acme.add(unique('boss'), ['admin']);
  const [asAdmin, asRequester] = [await invitedBy(boss, ['admin'], ['admin']), await invitedBy(boss, ['admin'], ['requester'])];
  await harness.client.updateUser({ id: boss.id, active: false }, await acme.asAdmin());
  expect([await codeOf(accept(asAdmin)), await codeOf(accept(asRequester))]).toEqual(['LINK_NOT_VALID', 'LINK_NOT_VALID']);
  await harness.client.updateUser({ id: boss.id, active: true }, await acme.asAdmin());
  await harness.client.updateMembership({ userId: boss.id, orgRoles: ['manager', 'requester'] }, await acme.asAdmin());
  expect([await codeOf(accept(asAdmin)), await codeOf(accept(asRequester))]).toEqual(['LINK_NOT_VALID', 'ok']);
  await harness.client.updateMembership({ userId: boss.id, orgRoles: ['admin'] }, await acme.asAdmin());
  expect((await accept(asAdmin)).user?.orgRoles).toEqual(['admin']);
});

test('when whoever has invited is just being demoted, then the link waits for that, and is worth nothing', async () => {
  const boss = await acme.add(unique('boss'), ['admin']);
  const token = await invitedBy(boss, ['admin'], ['admin']);
  const demotion = await harness.admin.connect();
  try {
    await demotion.query('begin');
    await demotion.query(`update app_user set org_roles = '{requester}' where id = $1`, [boss.id]);
    const accepted = codeOf(accept(token));
    const blocked = `select from pg_stat_activity where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`;
    await until(async () => (await harness.admin.query(blocked)).rowCount === 1, { what: 'somebody who waits' });
    await demotion.query('commit');
    expect(await accepted).toBe('LINK_NOT_VALID');
  } finally {
    demotion.release(true);
  }
});

test('when an invitation is of another tenant, then it is not there', async () => {
  const { id } = await invited(globex);
  expect(await codeOf(harness.client.revokeInvitation({ id }, await acme.asAdmin()))).toBe('INVITATION_NOT_FOUND');
  const { items } = await harness.client.listInvitations({ query: { limit: 200 } }, await acme.asAdmin());
  expect(items.map((item) => item.id)).not.toContain(id);
});

test('when somebody is not an admin, then they invite nobody', async () => {
  const person = await acme.add('no-admin', ['manager']);
  const options = await acme.as(person, ['manager']);
  expect(await codeOf(harness.client.createInvitation({ email: address(), orgRoles: ['admin'] }, options))).toBe('PERMISSION_DENIED');
  expect(await codeOf(harness.client.listInvitations({}, options))).toBe('ok');
});

const setting = async (tenant: TestTenant, key: string, value: unknown) =>
  harness.client.putSetting({ key, valueJson: JSON.stringify(value) }, await tenant.asAdmin());

test('when the organisation wants longer passwords, then who joins by an invitation is held to it', async () => {
  const tenant = await newTenant(harness);
  await setting(tenant, 'password.min-length', 20);
  const { token } = await invited(tenant);
  expect(await codeOf(accept(token, { ...newcomer, password: 'nineteen lamps here' }))).toBe('PASSWORD_TOO_WEAK');
  expect(await codeOf(accept(token, { ...newcomer, password: 'nineteen lamps here.' }))).toBe('ok');
});

test('when the organisation takes certain domains only, then nobody else is invited, and earlier invitations are refused', async () => {
  const tenant = await newTenant(harness);
  const { token, email } = await invited(tenant);
  await setting(tenant, 'users.email-domains', ['acme.example']);
  expect(await fieldsOf(invite(tenant, address()))).toEqual(['/email']);
  expect(await codeOf(invite(tenant, `${unique('guest')}@acme.example`))).toBe('ok');
  expect(await fieldsOf(accept(token))).toEqual(['/token']);
  await setting(tenant, 'users.email-domains', ['acme.example', 'people.test']);
  expect((await accept(token)).user).toMatchObject({ email });
});
