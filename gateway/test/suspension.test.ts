import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type Call, type Item, type Person, password, startWorld, toldMs, type World } from './world.ts';

let world: World;
let call: Call;
let root: Person;
beforeAll(async () => {
  world = await startWorld();
  call = world.call;
  root = await world.staff('platform-admin');
});
afterAll(() => world.close());

const codeOf = ({ status, body }: Answer) => [status, body.error?.code];
const suspended = [403, 'TENANT_SUSPENDED'];
const get = (path: string, token: string, headers?: Record<string, string>) => call('GET', path, { token, headers });
const change = (id: string, verb: 'suspend' | 'activate') => call('POST', `/admin/tenants/${id}/${verb}`, { token: root.token });

/** An organisation with somebody of every kind, and a request that waits. */
const estate = async () => {
  const { id, slug, admin } = await world.organization();
  const [requester, ...approvers] = await Promise.all([
    world.person(admin, slug, ['requester']),
    ...Array.from({ length: 8 }, () => world.person(admin, slug, ['approver'])),
  ]);
  const asAdmin = async (path: string, body: unknown) => (await call('POST', path, { token: admin.token, body })).body as Item;
  const type = { key: 'db', name: 'Db', connector: 'simulated', roles: ['reader'], sensitivity: 'high', maxDuration: 'P1D' };
  const { id: resourceTypeId } = await asAdmin('/org/resource-types', type);
  const { id: resourceId } = await asAdmin('/org/resources', { key: 'db-1', name: 'Db 1', resourceTypeId });
  const account = await asAdmin('/org/service-accounts', { name: 'ci', scopes: [{ resource: 'catalog', action: 'read' }] });
  const { key } = await asAdmin(`/org/service-accounts/${account.id}/keys`, {});
  const body = { resourceId, role: 'reader', justification: 'An incident', duration: 'PT1H' };
  const request = (await call('POST', '/requests', { token: requester.token, body })).body as Item;
  return { id, slug, admin, requester, approvers, key: String(key), request, resourceId };
};

test('when a tenant is suspended, then people, keys, sessions and sign-ins are refused soon, and so is what they have open', async () => {
  const { id, slug, admin, requester, approvers, key, request, resourceId } = await estate();
  const [approver] = approvers;
  const seen = async () => {
    const lists = [
      '/org/users',
      '/org/teams',
      '/org/resources',
      '/org/service-accounts',
      '/org/memberships',
      '/requests',
      '/org/invitations',
    ];
    return Promise.all(lists.map(async (path) => (await get(path, admin.token)).body.items));
  };
  const before = await seen();

  expect((await change(id, 'suspend')).status).toBe(200);
  const refused = (what: string, ask: () => Promise<Answer>) =>
    until(async () => codeOf(await ask()).join() === suspended.join(), { what, timeoutMs: toldMs });
  await refused('a requester', () => get('/me', requester.token));
  await refused('an admin', () => get('/org/users', admin.token));
  await refused('an API key', () => get('/catalog/resources', key));
  await refused('a key that names the tenant', () => get('/catalog/resources', key, { 'x-tenant': slug }));
  await refused('an approver', () => call('POST', `/requests/${request.id}/approve`, { token: approver?.token }));
  const again = { resourceId, role: 'reader', justification: 'Again', duration: 'PT1H' };
  await refused('a new request', () => call('POST', '/requests', { token: requester.token, body: again }));
  await refused('a cancel', () => call('POST', `/requests/${request.id}/cancel`, { token: requester.token }));
  expect(codeOf(await call('POST', '/auth/refresh', { body: { refreshToken: requester.refreshToken } }))).toEqual(suspended);
  expect(codeOf(await call('POST', '/auth/login', { body: { email: requester.email, password } }))).toEqual(suspended);
  expect(codeOf(await call('POST', '/auth/login', { body: { email: requester.email, password: 'not the password' } }))).toEqual([
    401,
    'INVALID_CREDENTIALS',
  ]);

  expect((await change(id, 'activate')).status).toBe(200);
  await until(async () => (await get('/me', admin.token)).status === 200, { timeoutMs: toldMs });
  expect(await seen()).toEqual(before);
  expect((await get('/catalog/resources', key)).status).toBe(200);
  expect((await call('POST', '/auth/refresh', { body: { refreshToken: requester.refreshToken } })).status).toBe(200);
  for (const { token } of approvers.slice(0, 2))
    expect((await call('POST', `/requests/${request.id}/approve`, { token })).status).toBe(200);
});

test('when a tenant is suspended while its people decide, then each vote counts or is refused, and none counts a second later', async () => {
  const { id, admin, approvers, request } = await estate();
  const approve = async ({ token }: Person) => codeOf(await call('POST', `/requests/${request.id}/approve`, { token }));
  const [votes, { status }] = await Promise.all([Promise.all(approvers.slice(0, 6).map(approve)), change(id, 'suspend')]);
  expect(status).toBe(200);
  for (const vote of votes) expect([[200, undefined], [409, 'REQUEST_NOT_PENDING'], suspended]).toContainEqual(vote);
  const late = approvers.slice(6);
  await until(async () => (await approve(late[0] as Person)).join() === suspended.join(), { timeoutMs: toldMs });
  for (const person of late) expect(await approve(person)).toEqual(suspended);

  expect((await change(id, 'activate')).status).toBe(200);
  const approvals = await until(async () => {
    const { status: answered, body } = await get(`/approvals/${request.id}`, admin.token);
    return answered === 200 && body;
  });
  const counted = votes.filter(([code]) => code === 200).length;
  expect((approvals.votes as { deciderId: string }[]).length).toBeGreaterThanOrEqual(counted);
  const deciders = new Set((approvals.votes as { deciderId: string }[]).map(({ deciderId }) => deciderId));
  for (const person of late.slice(1)) expect(deciders).not.toContain(person.id);
});
