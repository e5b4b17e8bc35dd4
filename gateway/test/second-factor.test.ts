import { authenticator, until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type Call, type Item, type Person, password, startWorld, toldMs, type World } from './world.ts';

let world: World;
let call: Call;
beforeAll(async () => {
  world = await startWorld();
  call = world.call;
});
afterAll(() => world.close());

const codeOf = ({ status, body }: Answer) => [status, body.error?.code];
const challengeOf = ({ headers }: Answer) => headers['www-authenticate'];

interface Enrolled {
  code: () => Promise<string>;
  recoveryCodes: string[];
}

const enrol = async ({ token }: Person): Promise<Enrolled> => {
  const begun = await call('POST', '/me/mfa/totp', { token });
  const code = authenticator(String(begun.body.secret));
  const confirmed = await call('POST', '/me/mfa/totp/confirm', { token, body: { code: await code() } });
  return { code, recoveryCodes: confirmed.body.recoveryCodes as string[] };
};

const login = (email: string, more: object = {}) => call('POST', '/auth/login', { body: { email, password, ...more } });

test('when an admin has enrolled, then sessions without the second factor read but do not administer, until they step up', async () => {
  const { admin } = await world.organization();
  expect((await call('GET', '/me/mfa', { token: admin.token })).body).toEqual({ enrolled: false, confirmedAt: null, recoveryCodesLeft: 0 });
  expect((await call('POST', '/org/teams', { token: admin.token, body: { name: 'Before' } })).status).toBe(201);
  const { code } = await enrol(admin);
  expect((await call('GET', '/me/mfa', { token: admin.token })).body).toMatchObject({ enrolled: true, recoveryCodesLeft: 10 });

  const refused = await until(async () => {
    const answer = await call('POST', '/org/teams', { token: admin.token, body: { name: `Team ${Date.now()}` } });
    return answer.status !== 201 && answer;
  });
  expect(codeOf(refused)).toEqual([401, 'INSUFFICIENT_AUTHENTICATION']);
  expect(challengeOf(refused)).toMatch(/^Bearer error="insufficient_user_authentication", error_description="[^"]+", acr_values="aal2"$/);
  expect(refused.body).toMatchObject({ acrValues: 'aal2' });
  expect((await call('GET', '/org/teams', { token: admin.token })).status).toBe(200);
  expect(codeOf(await call('POST', '/auth/step-up', { token: admin.token, body: {} }))).toEqual([422, 'INVALID_FIELDS']);
  expect(codeOf(await call('POST', '/auth/step-up', { body: { totp: '000000' } }))).toEqual([401, 'INVALID_TOKEN']);

  const stepped = await call('POST', '/auth/step-up', { token: admin.token, body: { totp: await code() } });
  const token = String(stepped.body.accessToken);
  expect((await call('POST', '/org/teams', { token, body: { name: 'After' } })).status).toBe(201);
  // The other token of the session goes on as what it is.
  expect(codeOf(await call('POST', '/org/teams', { token: admin.token, body: { name: 'Other' } }))).toEqual([
    401,
    'INSUFFICIENT_AUTHENTICATION',
  ]);
});

test('when somebody has enrolled, then signing in asks for the second factor after the right password only', async () => {
  const { admin, slug } = await world.organization();
  const person = await world.person(admin, slug, ['requester']);
  const { code, recoveryCodes } = await enrol(person);
  expect(codeOf(await login(person.email))).toEqual([401, 'MFA_REQUIRED']);
  expect(codeOf(await login(person.email, { password: 'not the right password' }))).toEqual([401, 'INVALID_CREDENTIALS']);
  expect(codeOf(await login(person.email, { password: 'not the right password', totp: await code() }))).toEqual([
    401,
    'INVALID_CREDENTIALS',
  ]);
  expect(codeOf(await login(person.email, { totp: '12345' }))).toEqual([422, 'INVALID_FIELDS']);
  const [first] = recoveryCodes;
  const session = await login(person.email, { recoveryCode: first });
  expect(session.status).toBe(200);
  expect(codeOf(await login(person.email, { recoveryCode: first }))).toEqual([401, 'INVALID_MFA_CODE']);
  const token = String(session.body.accessToken);
  const renewed = await call('POST', '/me/mfa/recovery-codes', { token });
  expect(renewed.body.recoveryCodes).toHaveLength(10);
  const stale = await call('DELETE', '/me/mfa/totp', { token: person.token });
  expect(codeOf(stale)).toEqual([401, 'INSUFFICIENT_AUTHENTICATION']);
  expect(challengeOf(stale)).toContain('max_age="300"');
  expect((await call('DELETE', '/me/mfa/totp', { token })).status).toBe(204);
  expect((await login(person.email)).status).toBe(200);
});

/** What is made to ask for, of a sensitivity. */
const resourceOf = async ({ token }: Person, sensitivity: string): Promise<string> => {
  const type = { key: sensitivity, name: 'T', connector: 'simulated', roles: ['reader'], sensitivity, maxDuration: 'P1D' };
  const { body } = await call('POST', '/org/resource-types', { token, body: type });
  const resource = await call('POST', '/org/resources', { token, body: { key: sensitivity, name: 'R', resourceTypeId: body.id } });
  return String(resource.body.id);
};

const file = async ({ token }: Person, resourceId: string): Promise<Item> => {
  const body = { resourceId, role: 'reader', justification: 'An incident', duration: 'PT4H' };
  return (await call('POST', '/requests', { token, body })).body as Item;
};

const approve = (token: string, { id }: Item) => call('POST', `/requests/${id}/approve`, { token });

/**
 * As somebody whom the gateway has not met: who names the tenant, is looked up anew. That a factor was enrolled is told to it by an event,
 * and a vote that comes before that would count.
 */
const approveAnew = (token: string, { id }: Item, slug: string) =>
  call('POST', `/requests/${id}/approve`, { token, headers: { 'x-tenant': slug } });

test('when a request is of high sensitivity, then an approver with a second factor decides with it, and one without as before', async () => {
  const { admin, slug } = await world.organization();
  const [requester, plain, enrolled] = await Promise.all([
    world.person(admin, slug, ['requester']),
    world.person(admin, slug, ['approver']),
    world.person(admin, slug, ['approver']),
  ]);
  const { code } = await enrol(enrolled);
  const [medium, high] = [await file(requester, await resourceOf(admin, 'medium')), await file(requester, await resourceOf(admin, 'high'))];
  expect((await approve(enrolled.token, medium)).body).toMatchObject({ status: 'APPROVED' });
  const refused = await approveAnew(enrolled.token, high, slug);
  expect([codeOf(refused), challengeOf(refused)]).toEqual([
    [401, 'INSUFFICIENT_AUTHENTICATION'],
    expect.stringContaining('acr_values="aal2"'),
  ]);
  expect((await approve(plain.token, high)).body).toMatchObject({ status: 'PENDING', approvals: 1 });
  const stepped = await call('POST', '/auth/step-up', { token: enrolled.token, body: { totp: await code() } });
  expect((await approve(String(stepped.body.accessToken), high)).body).toMatchObject({ status: 'APPROVED', approvals: 2 });
});

test('when somebody has lost everything, then an admin takes the second factor, which is in the audit', async () => {
  const { admin, slug } = await world.organization();
  const person = await world.person(admin, slug, ['requester']);
  await enrol(person);
  expect(codeOf(await login(person.email))).toEqual([401, 'MFA_REQUIRED']);
  expect((await call('DELETE', `/org/users/${person.id}/mfa`, { token: admin.token })).status).toBe(204);
  expect(codeOf(await call('DELETE', `/org/users/${person.id}/mfa`, { token: admin.token }))).toEqual([409, 'MFA_NOT_ENROLLED']);
  expect((await login(person.email)).status).toBe(200);
  const actions = await until(async () => {
    const path = `/org/audit?filter[entityId][eq]=${person.id}&sort=sequence`;
    const { items = [] } = (await call('GET', path, { token: admin.token })).body;
    return items.some(({ action }) => action === 'MFA_REMOVED') && items.map(({ action }) => action);
  });
  expect(actions).toEqual(['USER_CREATED', 'MFA_ENROLMENT_STARTED', 'MFA_ENROLLED', 'MFA_REMOVED']);
});

test('when platform staff have a second factor, then suspending a tenant takes it', async () => {
  const { id } = await world.organization();
  const root = await world.staff('platform-admin');
  const app = await login(root.email);
  const { code } = await enrol({ ...root, token: String(app.body.accessToken) });
  const change = (token: string, verb: string) => call('POST', `/admin/tenants/${id}/${verb}`, { token });
  const refused = await until(async () => {
    const answer = await change(root.token, 'activate');
    return answer.status === 401 && answer;
  });
  expect(codeOf(refused)).toEqual([401, 'INSUFFICIENT_AUTHENTICATION']);
  const stepped = await call('POST', '/auth/step-up', { token: root.token, body: { totp: await code() } });
  expect((await change(String(stepped.body.accessToken), 'suspend')).status).toBe(200);
});

test('when the plan of a request demanded a second factor, then so does its credential of a holder who has one', async () => {
  const { admin, slug } = await world.organization();
  const [holder, one, two] = await Promise.all([
    world.person(admin, slug, ['requester', 'approver']),
    world.person(admin, slug, ['approver', 'requester']),
    world.person(admin, slug, ['approver']),
  ]);
  const resourceId = await resourceOf(admin, 'high');
  const [request, other] = [await file(holder, resourceId), await file(one, resourceId)];
  for (const { token } of [one, two]) await approve(token, request);
  const grantId = await until(async () => (await call('GET', `/requests/${request.id}`, { token: holder.token })).body.grantId);
  const { code } = await enrol(holder);
  expect(codeOf(await approveAnew(holder.token, other, slug))).toEqual([401, 'INSUFFICIENT_AUTHENTICATION']);
  const read = (token: string) => call('POST', `/grants/${grantId}/credential`, { token, headers: { 'x-tenant': slug } });
  const refused = await read(holder.token);
  expect([codeOf(refused), challengeOf(refused)]).toEqual([
    [401, 'INSUFFICIENT_AUTHENTICATION'],
    expect.stringContaining('acr_values="aal2"'),
  ]);
  expect((await call('GET', `/grants/${grantId}`, { token: holder.token })).status).toBe(200);
  const stepped = await call('POST', '/auth/step-up', { token: holder.token, body: { totp: await code() } });
  expect((await read(String(stepped.body.accessToken))).status).toBe(200);
});

test('when the organisation demands a second factor, then nobody administers or decides without, and whoever has none can set one up', async () => {
  const { admin, slug } = await world.organization();
  const [other, approver, requester] = await Promise.all([
    world.person(admin, slug, ['admin'], 'org-admin'),
    world.person(admin, slug, ['approver']),
    world.person(admin, slug, ['requester']),
  ]);
  const resourceId = await resourceOf(admin, 'medium');
  const { body: machine } = await call('POST', '/org/service-accounts', {
    token: admin.token,
    body: { name: 'CI', scopes: [{ resource: 'team', action: 'create' }] },
  });
  const { body: key } = await call('POST', `/org/service-accounts/${machine.id}/keys`, { token: admin.token });
  const put = (token: string, value: boolean) => call('PUT', '/org/settings/security.require-mfa', { token, body: { value } });
  const team = (token: string) => call('POST', '/org/teams', { token, body: { name: `Team ${crypto.randomUUID()}` } });
  expect((await team(other.token)).status).toBe(201);

  expect((await put(admin.token, true)).status).toBe(200);
  const refused = await until(
    async () => {
      const answer = await team(other.token);
      return answer.status !== 201 && answer;
    },
    { timeoutMs: toldMs },
  );
  expect(codeOf(refused)).toEqual([401, 'MFA_ENROLMENT_REQUIRED']);
  expect(challengeOf(refused)).toMatch(/^Bearer error="insufficient_user_authentication", .*, acr_values="aal2"$/);
  expect(refused.body.detail).toContain('/api/v1/me/mfa/totp');
  expect(codeOf(await put(admin.token, false))).toEqual([401, 'MFA_ENROLMENT_REQUIRED']);
  expect((await call('GET', '/org/teams', { token: other.token })).status).toBe(200);
  // What is neither goes on, and so do machines, which have no second factor to prove.
  const request = await file(requester, resourceId);
  expect(request.status).toBe('PENDING');
  expect((await team(String(key.key))).status).toBe(201);
  expect(codeOf(await approve(approver.token, request))).toEqual([401, 'MFA_ENROLMENT_REQUIRED']);

  const { recoveryCodes } = await enrol(approver);
  await until(async () => codeOf(await approve(approver.token, request))[1] === 'INSUFFICIENT_AUTHENTICATION');
  const stepped = await call('POST', '/auth/step-up', { token: approver.token, body: { recoveryCode: recoveryCodes[0] } });
  expect((await approve(String(stepped.body.accessToken), request)).body).toMatchObject({ status: 'APPROVED' });

  const own = await enrol(admin);
  const raised = await call('POST', '/auth/step-up', { token: admin.token, body: { recoveryCode: own.recoveryCodes[0] } });
  expect((await put(String(raised.body.accessToken), false)).status).toBe(200);
  await until(async () => (await team(other.token)).status === 201, { timeoutMs: toldMs });
});
