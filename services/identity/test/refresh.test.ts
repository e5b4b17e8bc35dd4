import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  anonymously,
  asGateway,
  asPlatform,
  codeOf,
  type Harness,
  isAbout,
  logIn,
  newTenant,
  startHarness,
  type TestTenant,
} from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
});
afterEach(() => {
  harness.clock.skipMs = 0;
});
afterAll(() => harness.close());

const refresh = async (refreshToken: string) => harness.client.refresh({ refreshToken }, await anonymously());
const resolve = async (sessionId: string, subject = acme.admin.id) =>
  harness.client.resolvePrincipal({ subject, sessionId, organizations: [acme.slug] }, await asGateway());
const endings = async (sessionId: string) =>
  (await harness.eventsOf(acme.id)).filter(({ entityId, action }) => entityId === sessionId && action === 'SESSION_ENDED');

const minute = 60_000;
const day = 24 * 60 * minute;

test('when a session is refreshed, then it goes on under a new token and new roles', async () => {
  const person = await acme.add('climber', ['requester']);
  const session = await logIn(harness, person.email);
  await harness.client.updateMembership({ userId: person.id, orgRoles: ['manager', 'approver'] }, await acme.asAdmin());
  const next = await refresh(session.refreshToken);
  expect(next.refreshToken).not.toBe(session.refreshToken);
  const claims = JSON.parse(Buffer.from(next.accessToken.split('.')[1] ?? '', 'base64url').toString());
  expect(claims).toMatchObject({ sid: session.sessionId, organization: { [acme.slug]: { groups: ['/manager', '/approver'] } } });
  expect(await codeOf(refresh(next.refreshToken))).toBe('ok');
  expect(await endings(session.sessionId)).toEqual([]);
});

test('when a used token comes again, then the session ends and with it its newest token', async () => {
  const session = await logIn(harness, acme.admin.email);
  const next = await refresh(session.refreshToken);
  expect(await codeOf(resolve(session.sessionId))).toBe('ok');
  expect(await codeOf(refresh(session.refreshToken))).toBe('INVALID_REFRESH_TOKEN');
  expect(await codeOf(refresh(next.refreshToken))).toBe('INVALID_REFRESH_TOKEN');
  expect(await codeOf(resolve(session.sessionId))).toBe('SESSION_ENDED');
  expect(await endings(session.sessionId)).toMatchObject([
    { type: 'SessionEnded', entityType: 'SESSION', actor: { type: 'system', id: 'identity' }, changes: { endReason: { after: 'REUSE' } } },
  ]);
});

test('of 20 parallel refreshes with one token, when they race, then at most one wins and the session is over', async () => {
  for (let round = 0; round < 5; round++) {
    const session = await logIn(harness, acme.admin.email);
    const options = await anonymously();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => harness.client.refresh({ refreshToken: session.refreshToken }, options)),
    );
    const won = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won).toHaveLength(1);
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(new Set(lost)).toEqual(new Set(['INVALID_REFRESH_TOKEN']));
    expect(await codeOf(refresh(won[0]?.refreshToken ?? ''))).toBe('INVALID_REFRESH_TOKEN');
    expect(await codeOf(resolve(session.sessionId))).toBe('SESSION_ENDED');
    expect(await endings(session.sessionId)).toHaveLength(1);
  }
});

test('when one session of somebody is stolen, then their other sessions go on', async () => {
  const [stolen, other] = [await logIn(harness, acme.admin.email), await logIn(harness, acme.admin.email)];
  await refresh(stolen.refreshToken);
  await codeOf(refresh(stolen.refreshToken));
  expect(await codeOf(refresh(other.refreshToken))).toBe('ok');
});

test('when seven days have passed since the login, then refreshing is over, however often it was done', async () => {
  const { sessionId, refreshToken: first } = await logIn(harness, acme.admin.email);
  let refreshToken = first;
  for (let passed = 1; passed < 7; passed++) {
    harness.clock.skipMs = passed * day;
    const next = await refresh(refreshToken);
    expect(next.refreshExpiresIn).toSatisfy(isAbout((7 - passed) * 24 * 3600));
    refreshToken = next.refreshToken;
  }
  harness.clock.skipMs = 7 * day;
  expect(await codeOf(refresh(refreshToken))).toBe('INVALID_REFRESH_TOKEN');
  expect(await codeOf(resolve(sessionId))).toBe('SESSION_ENDED');
});

test.each([
  ['empty', ''],
  ['random', 'A'.repeat(43)],
  ['an access token', 'a.b.c'],
  ['huge', 'x'.repeat(100_000)],
  ['NUL', '\u0000'.repeat(43)],
  ['a statement', "' or used_at is null or hash = '"],
])('when the token is %s, then it is INVALID_REFRESH_TOKEN', async (_, token) => {
  expect(await codeOf(refresh(token))).toBe('INVALID_REFRESH_TOKEN');
});

test('when one character of a token is changed, then it is not known, and the real one still works', async () => {
  const { refreshToken } = await logIn(harness, acme.admin.email);
  const bent = `${refreshToken[0] === 'A' ? 'B' : 'A'}${refreshToken.slice(1)}`;
  expect(await codeOf(refresh(bent))).toBe('INVALID_REFRESH_TOKEN');
  expect(await codeOf(refresh(refreshToken))).toBe('ok');
});

test('when the roles no longer allow the audience, then the token is refused and not used up', async () => {
  const person = await acme.add('falling', ['manager']);
  const { refreshToken } = await logIn(harness, person.email, { audience: 'org-admin' });
  await harness.client.updateMembership({ userId: person.id, orgRoles: ['requester'] }, await acme.asAdmin());
  expect(await codeOf(refresh(refreshToken))).toBe('AUDIENCE_NOT_ALLOWED');
  await harness.client.updateMembership({ userId: person.id, orgRoles: ['auditor'] }, await acme.asAdmin());
  expect(await codeOf(refresh(refreshToken))).toBe('ok');
});

test('when the tenant is suspended, then refreshing is refused until it is active again', async () => {
  const tenant = await newTenant(harness);
  const { refreshToken } = await logIn(harness, tenant.admin.email);
  await harness.client.suspendTenant({ id: tenant.id }, await asPlatform());
  expect(await codeOf(refresh(refreshToken))).toBe('TENANT_SUSPENDED');
  await harness.client.activateTenant({ id: tenant.id }, await asPlatform());
  expect(await codeOf(refresh(refreshToken))).toBe('ok');
});

test('when the user is deactivated, then refreshing is over, also after they are back', async () => {
  const person = await acme.add('boomerang', ['requester']);
  const { refreshToken } = await logIn(harness, person.email);
  await harness.client.updateUser({ id: person.id, active: false }, await acme.asAdmin());
  expect(await codeOf(refresh(refreshToken))).toBe('INVALID_REFRESH_TOKEN');
  await harness.client.updateUser({ id: person.id, active: true }, await acme.asAdmin());
  expect(await codeOf(refresh(refreshToken))).toBe('INVALID_REFRESH_TOKEN');
});

test('when somebody logs out, then the session is over at once and told once', async () => {
  const session = await logIn(harness, acme.admin.email);
  expect(await codeOf(resolve(session.sessionId))).toBe('ok');
  const logout = async () => harness.client.logout({ refreshToken: session.refreshToken }, await anonymously());
  await Promise.all([logout(), logout()]);
  await logout();
  expect(await codeOf(resolve(session.sessionId))).toBe('SESSION_ENDED');
  expect(await codeOf(refresh(session.refreshToken))).toBe('INVALID_REFRESH_TOKEN');
  expect(await endings(session.sessionId)).toMatchObject([
    { actor: { id: acme.admin.id, type: 'user' }, changes: { endReason: { after: 'LOGOUT' } } },
  ]);
});

test('when somebody logs out with a token that is none, then nothing happens', async () => {
  for (const refreshToken of ['', 'A'.repeat(43), '\u0000']) {
    expect(await codeOf(harness.client.logout({ refreshToken }, await anonymously()))).toBe('ok');
  }
});
