import { newId, noTenant } from '@accessops/db';
import { authenticator, until, untilAlike } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  anonymously,
  as,
  asGateway,
  codeOf,
  fieldsOf,
  type Harness,
  logIn,
  newTenant,
  password,
  startHarness,
  type TestTenant,
  unique,
} from './harness.ts';
import { type MailServer, startMailServer } from './mail-server.ts';

let mail: MailServer;
let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  mail = await startMailServer();
  harness = await startHarness({ SMTP_URL: mail.url, PUBLIC_URL: 'https://accessops.test/base/' });
  acme = await newTenant(harness);
  await mail.mailTo(acme.admin.email);
});
afterEach(() => {
  harness.clock.skipMs = 0;
});
afterAll(async () => {
  await harness.close();
  await mail.stop();
});

const newPassword = 'seven bridges quarry lamp';
const hour = 3_600_000;

const asPerson = (person: { id: string; email: string }) =>
  as({ ...person, tenantId: acme.id, tenantSlug: acme.slug, orgRoles: ['requester'], audience: 'app' });
const actionsOf = async (tenantId: string, entityId: string) =>
  (await harness.eventsOf(tenantId)).filter((event) => event.entityId === entityId).map(({ action }) => action);
const isAlive = async (sessionId: string) =>
  (await harness.admin.query('select 1 from session where id = $1 and ended_at is null', [sessionId])).rowCount === 1;
const queued = async () => Number((await harness.admin.query('select count(*) from mail')).rows[0].count);
const askForReset = async (email: string) => harness.client.requestPasswordReset({ email }, await anonymously());
const reset = async (token: string, wanted = newPassword) => harness.client.resetPassword({ token, password: wanted }, await anonymously());
const verify = async (token: string) => harness.client.verifyEmail({ token }, await anonymously());
const confirm = async (token: string) => harness.client.confirmEmailChange({ token }, await anonymously());

/** Somebody whose first mail has come: the order of mails that wait is nobody's promise. */
const newcomer = async (name: string) => {
  const person = await acme.add(name, ['requester']);
  await mail.mailTo(person.email);
  return person;
};

/** Somebody with a session, and the link for a new password in the mail. */
const forgetful = async (name: string) => {
  const person = await newcomer(name);
  const session = await logIn(harness, person.email);
  await askForReset(person.email);
  const { token } = await mail.mailTo(person.email, 2);
  return { ...person, session, token };
};

test('when someone registers, then a link is mailed that verifies the address, once', async () => {
  const person = await acme.add('verifies', ['requester']);
  expect((await harness.client.getMe({}, await asPerson(person))).emailVerified).toBe(false);
  const { token, text, head } = await mail.mailTo(person.email);
  expect(text).toContain(`https://accessops.test/base/verify-email#token=${token}`);
  expect(head).toMatch(/^Subject: Confirm your e-mail address\r?$/m);
  await verify(token);
  expect((await harness.client.getMe({}, await asPerson(person))).emailVerified).toBe(true);
  expect((await harness.client.getUser({ id: person.id }, await acme.asAdmin())).emailVerified).toBe(true);
  expect(await actionsOf(acme.id, person.id)).toEqual(['USER_CREATED', 'EMAIL_VERIFIED']);
  expect(await codeOf(verify(token))).toBe('LINK_NOT_VALID');
});

test('when another link is asked for, then the one before is worth nothing, and a verified address gets none', async () => {
  const person = await acme.add('asks-again', ['requester']);
  const first = await mail.mailTo(person.email);
  await harness.client.requestVerification({}, await asPerson(person));
  const second = await mail.mailTo(person.email, 2);
  expect(await codeOf(verify(first.token))).toBe('LINK_NOT_VALID');
  expect(await codeOf(verify(second.token))).toBe('ok');
  await harness.client.requestVerification({}, await asPerson(person));
  await until(async () => (await queued()) === 0, { what: 'an empty outbox' });
  expect(mail.received.filter(({ to }) => to === person.email)).toHaveLength(2);
});

test('when a password is reset by mail, then the new one is good, and every session has ended', async () => {
  const { id, email, session, token } = await forgetful('forgets');
  await reset(token);
  expect(await isAlive(session.sessionId)).toBe(false);
  const resolving = harness.client.resolvePrincipal(
    { subject: id, sessionId: session.sessionId, organizations: [acme.slug] },
    await asGateway(),
  );
  expect(await codeOf(resolving)).toBe('SESSION_ENDED');
  expect(await codeOf(harness.client.refresh({ refreshToken: session.refreshToken }, await anonymously()))).toBe('INVALID_REFRESH_TOKEN');
  expect(await codeOf(logIn(harness, email))).toBe('INVALID_CREDENTIALS');
  expect((await logIn(harness, email, { password: newPassword })).subject).toBe(id);
  expect(await actionsOf(acme.id, id)).toEqual(expect.arrayContaining(['PASSWORD_RESET_REQUESTED', 'PASSWORD_CHANGED', 'EMAIL_VERIFIED']));
  const [changed] = (await harness.eventsOf(acme.id)).filter(({ action, entityId }) => action === 'PASSWORD_CHANGED' && entityId === id);
  expect(changed).toMatchObject({ actor: { id, type: 'user', email }, changes: {} });
});

test('when a verified address gets a new password by mail, then its second factor stays', async () => {
  const person = await acme.add('keeps', ['requester']);
  await verify((await mail.mailTo(person.email)).token);
  const { secret } = await harness.client.beginTotp({}, await asPerson(person));
  const code = authenticator(secret);
  await harness.client.confirmTotp({ code: await code() }, await asPerson(person));
  await askForReset(person.email);
  await reset((await mail.mailTo(person.email, 2)).token);
  expect(await codeOf(logIn(harness, person.email, { password: newPassword }))).toBe('MFA_REQUIRED');
  expect((await logIn(harness, person.email, { password: newPassword, totp: await code() })).subject).toBe(person.id);
});

test('when a link is used eight times at once, then it works once', async () => {
  const { token } = await forgetful('races');
  const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(reset(token))));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(new Set(codes)).toEqual(new Set(['ok', 'LINK_NOT_VALID']));
});

test('when a link is an hour old, then it is worth nothing, and a weak password leaves it as it is', async () => {
  const { token } = await forgetful('late');
  expect(await codeOf(reset(token, 'password1234'))).toBe('PASSWORD_TOO_WEAK');
  harness.clock.skipMs = hour + 1000;
  expect(await codeOf(reset(token))).toBe('LINK_NOT_VALID');
  harness.clock.skipMs = 0;
  expect(await codeOf(reset(token))).toBe('ok');
});

test('when a token is made up, changed by one character or of another kind, then it is worth nothing', async () => {
  const person = await acme.add('forger', ['requester']);
  const { token } = await mail.mailTo(person.email);
  const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`;
  for (const wrong of ['', 'x', 'A'.repeat(64), changed, `${token}A`, "'; drop table link; --"]) {
    expect(await codeOf(verify(wrong))).toBe('LINK_NOT_VALID');
  }
  expect(await codeOf(reset(token))).toBe('LINK_NOT_VALID');
  expect(await codeOf(confirm(token))).toBe('LINK_NOT_VALID');
  expect(await codeOf(verify(token))).toBe('ok');
});

test('when an address has no account, then the answer is the same, nothing is sent and nothing is told', async () => {
  const email = `${unique('nobody')}@nowhere.test`;
  expect(await codeOf(askForReset(email))).toBe('ok');
  expect(await fieldsOf(askForReset('no address'))).toEqual(['/email']);
  await until(async () => (await queued()) === 0, { what: 'an empty outbox' });
  expect(mail.received.filter(({ to }) => to === email)).toEqual([]);
});

test('when a reset is asked for again and again, then one mail a minute is sent', async () => {
  const { email } = await forgetful('insistent');
  for (let round = 0; round < 5; round++) await askForReset(email);
  await until(async () => (await queued()) === 0, { what: 'an empty outbox' });
  expect(mail.received.filter(({ to }) => to === email)).toHaveLength(2);
  harness.clock.skipMs = 61_000;
  await askForReset(email);
  expect((await mail.mailTo(email, 3)).token).toMatch(/^[\w-]{64}$/);
});

test('when a reset is asked for, then the answer takes as long for an address without an account', async () => {
  const person = await acme.add('timed', ['requester']);
  const options = await anonymously();
  const ask = (email: string) => harness.client.requestPasswordReset({ email }, options);
  const ratio = await untilAlike(
    () => ask(person.email),
    () => ask(`${unique('nobody')}@nowhere.test`),
    { rounds: 10, between: [0.6, 1.7] },
  );
  expect(ratio).toBeLessThan(1.7);
});

test('when both sides agree to a change of address, then it changes everywhere, and not before', async () => {
  const person = await newcomer('moves');
  const moved = `${unique('moved')}@elsewhere.test`;
  await harness.client.requestEmailChange({ email: moved.toUpperCase() }, await asPerson(person));
  const [old, fresh] = [await mail.mailTo(person.email, 2), await mail.mailTo(moved)];
  expect(old.text).toContain(moved);
  expect(await confirm(fresh.token)).toMatchObject({ status: 'WAITING' });
  expect(await codeOf(confirm(fresh.token))).toBe('LINK_NOT_VALID');
  expect(await codeOf(logIn(harness, moved))).toBe('INVALID_CREDENTIALS');
  expect(await confirm(old.token)).toMatchObject({ status: 'CHANGED' });
  expect((await logIn(harness, moved)).subject).toBe(person.id);
  expect(await codeOf(logIn(harness, person.email))).toBe('INVALID_CREDENTIALS');
  expect(await harness.client.getUser({ id: person.id }, await acme.asAdmin())).toMatchObject({ email: moved, emailVerified: true });
  expect(await actionsOf(acme.id, person.id)).toEqual([
    'USER_CREATED',
    'EMAIL_CHANGE_REQUESTED',
    'EMAIL_CHANGE_CONFIRMED',
    'EMAIL_CHANGED',
  ]);
});

test('when both sides agree at once, then it changes once', async () => {
  for (let round = 0; round < 5; round++) {
    const person = await newcomer(`at-once${round}`);
    const moved = `${unique('moved')}@elsewhere.test`;
    await harness.client.requestEmailChange({ email: moved }, await asPerson(person));
    const sides = [await mail.mailTo(person.email, 2), await mail.mailTo(moved)];
    const answers = await Promise.all(sides.map(({ token }) => confirm(token)));
    expect(answers.map(({ status }) => status).sort()).toEqual(['CHANGED', 'WAITING']);
    expect((await actionsOf(acme.id, person.id)).filter((action) => action === 'EMAIL_CHANGED')).toHaveLength(1);
  }
});

test('when the new address is taken by then, then only the one who reads its mail hears so', async () => {
  const person = await newcomer('wants-taken');
  const taken = acme.admin.email;
  const before = mail.received.filter(({ to }) => to === taken).length;
  await harness.client.requestEmailChange({ email: taken }, await asPerson(person));
  const [old, fresh] = [await mail.mailTo(person.email, 2), await mail.mailTo(taken, before + 1)];
  expect(await confirm(old.token)).toMatchObject({ status: 'WAITING' });
  expect(await codeOf(confirm(fresh.token))).toBe('EMAIL_TAKEN');
  expect((await harness.client.getUser({ id: person.id }, await acme.asAdmin())).email).toBe(person.email);
});

test('when a change of address waits, then another one, a day or a new password ends it', async () => {
  const person = await acme.add('undecided', ['requester']);
  const change = async () => {
    const moved = `${unique('moved')}@elsewhere.test`;
    await harness.client.requestEmailChange({ email: moved }, await asPerson(person));
    return (await mail.mailTo(moved)).token;
  };
  const first = await change();
  const second = await change();
  expect(await codeOf(confirm(first))).toBe('LINK_NOT_VALID');
  harness.clock.skipMs = 24 * hour + 1000;
  expect(await codeOf(confirm(second))).toBe('LINK_NOT_VALID');
  harness.clock.skipMs = 0;
  await askForReset(person.email);
  const { token } = await until(() => mail.received.find(({ to, text }) => to === person.email && text.includes('/reset-password#')));
  await reset(token);
  expect(await codeOf(confirm(second))).toBe('LINK_NOT_VALID');
});

test('when the new address is none or the same, then the field is named and nothing is sent', async () => {
  const person = await acme.add('stays', ['requester']);
  for (const email of ['none', person.email.toUpperCase(), 'a@b.test\r\nBcc: everybody@b.test', '\u0430da@b.test']) {
    expect(await fieldsOf(harness.client.requestEmailChange({ email }, await asPerson(person)))).toEqual(['/email']);
  }
});

test('when links are stored, then no table and no event holds a token', async () => {
  const { token, id } = await forgetful('discreet');
  const secret = Buffer.from(token, 'base64url').subarray(16);
  const { rows } = await harness.admin.query('select hash from link where account_id = $1', [id]);
  for (const { hash } of rows) expect(secret.equals(hash)).toBe(false);
  for (const tenantId of [acme.id, noTenant]) {
    for (const { payload } of await harness.eventsOf(tenantId)) expect(payload.includes(token)).toBe(false);
  }
});

test('when an account is of no tenant, then what happens to it stands in the log of the platform', async () => {
  const email = `${unique('nowhere')}@people.test`;
  const { user } = await harness.client.register({ email, password, firstName: 'No', lastName: 'Where' }, await anonymously());
  await verify((await mail.mailTo(email)).token);
  expect(await actionsOf(noTenant, user?.id ?? newId())).toEqual(['USER_CREATED', 'EMAIL_VERIFIED']);
});

const setting = async (tenant: TestTenant, key: string, value: unknown) =>
  harness.client.putSetting({ key, valueJson: JSON.stringify(value) }, await tenant.asAdmin());

test('when organisations want longer passwords, then a reset is held to the strictest of the person’s', async () => {
  const [tenant, other] = [await newTenant(harness), await newTenant(harness)];
  const person = await tenant.add('longer', ['requester']);
  await harness.admin.query(
    `insert into app_user (tenant_id, id, email, first_name, last_name, org_roles, version, created_at, updated_at)
     values ($1, $2, $3, 'Second', 'Name', '{requester}', 1, now(), now())`,
    [other.id, person.id, person.email],
  );
  await setting(tenant, 'password.min-length', 20);
  await setting(other, 'password.min-length', 24);
  await mail.mailTo(person.email);
  await askForReset(person.email);
  const { token } = await mail.mailTo(person.email, 2);
  for (const short of ['nineteen lamps here', 'nineteen lamps and one.'])
    expect(await codeOf(reset(token, short))).toBe('PASSWORD_TOO_WEAK');
  expect(await codeOf(reset(token, 'nineteen lamps and more.'))).toBe('ok');
});

test('when an organisation takes certain domains only, then nobody of it moves to another', async () => {
  const tenant = await newTenant(harness);
  const person = await tenant.add('mover', ['requester']);
  const options = await tenant.as(person, ['requester'], { audience: 'app' });
  await setting(tenant, 'users.email-domains', ['acme.example']);
  const move = (email: string) => harness.client.requestEmailChange({ email }, options);
  expect(await fieldsOf(move(`${unique('m')}@elsewhere.test`))).toEqual(['/email']);
  expect(await codeOf(move(`${unique('m')}@acme.example`))).toBe('ok');
});
