import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Route } from '../src/define-route.ts';
import { routes } from '../src/routes/index.ts';
import { type Answer, type Call, type Item, type Person, startWorld, toldMs, type World } from './world.ts';

let world: World;
let call: Call;
let slug: string;
let admin: Person;
beforeAll(async () => {
  world = await startWorld();
  // A busy machine lets Cerbos answer too late now and then; here it is about what the answer is.
  call = async (...asked) => {
    for (;;) {
      const answer = await world.call(...asked);
      if (answer.status !== 503) return answer;
    }
  };
  ({ slug, admin } = await world.organization());
});
afterAll(() => world.close());

interface Pair {
  resource: string;
  action: string;
}
const textOf = ({ resource, action }: Pair) => `${resource}:${action}`;
const pairOf = (text: string): Pair => ({ resource: text.split(':')[0] ?? '', action: text.split(':')[1] ?? '' });
const asAdmin = (method: string, path: string, body?: unknown) => call(method, `/org${path}`, { token: admin.token, body });
const brief = ({ status, body }: Answer) => [status, body.error?.code];

const newRole = async (permissions: Pair[]): Promise<Item> => {
  const made = await asAdmin('POST', '/roles', { name: `role ${randomUUID()}`, permissions });
  expect(brief(made)).toEqual([201, undefined]);
  return made.body as Item;
};

/** Somebody who has one custom role and nothing else, logged in for the console. */
const holder = async (permissions: Pair[]): Promise<Person & { roleId: string }> => {
  const role = await newRole(permissions);
  const person = await world.person(admin, slug, []);
  const given = await asAdmin('PATCH', `/memberships/${person.id}`, { orgRoles: [], roles: [role.id] });
  expect(given.body.roles).toEqual([{ id: role.id, name: role.name }]);
  const session = await world.login(person.email, 'org-admin', slug);
  return { ...person, token: String(session.body.accessToken), roleId: role.id };
};

const newAccount = async (scopes: Pair[]) => {
  const account = (await asAdmin('POST', '/service-accounts', { name: `ci ${randomUUID()}`, scopes })).body as Item;
  const key = (await asAdmin('POST', `/service-accounts/${account.id}/keys`)).body as Item & { key: string };
  return { account, key };
};

// Of every route of the API, one call that its schema takes; what it names does not exist.
const called = routes.filter(({ audience }) => audience !== 'public');
const tryRoute = async (route: Route, token: string): Promise<boolean> => {
  const path = route.path.slice('/api/v1'.length).replaceAll(/\{\w+\}/g, () => randomUUID());
  const answer = await call(route.method.toUpperCase(), path, { token, body: route.body?.example });
  return !(answer.status === 403 && ['PERMISSION_DENIED', 'AUDIENCE_NOT_ALLOWED', 'CSRF_REFUSED'].includes(answer.body.error?.code ?? ''));
};

const openTo = async (token: string): Promise<Set<string>> => {
  const open = new Set<string>();
  let next = 0;
  const run = async () => {
    for (let route = called[next++]; route; route = called[next++]) if (await tryRoute(route, token)) open.add(route.operationId);
  };
  await Promise.all(Array.from({ length: 8 }, run));
  return open;
};

const operationsOf = (permission: string) =>
  called.filter(({ cerbos }) => textOf(cerbos) === permission).map(({ operationId }) => operationId);

/**
 * Few lists in place of one per permission: each holds those whose number has a certain bit, or has it not. For any two there is a list that
 * has the one without the other: whatever opened the other's routes, or needed it for its own, shows there.
 */
const separating = (permissions: string[]): string[][] =>
  Array.from({ length: Math.ceil(Math.log2(permissions.length)) }, (_, bit) =>
    [0, 1].map((value) => permissions.filter((_, number) => ((number >> bit) & 1) === value)),
  ).flat();

/** What is open and should not be, and the other way round. */
const differences = (listed: string[], open: Set<string>, everybodys: Iterable<string>): string[] => {
  const wanted = new Set([...everybodys, ...listed.flatMap(operationsOf)]);
  return [...new Set([...open, ...wanted])]
    .filter((operation) => open.has(operation) !== wanted.has(operation))
    .map((operation) => `${operation} is ${open.has(operation) ? 'open' : 'closed'} to ${listed.join()}`);
};

const permissionsOf = async (token: string) => (await call('GET', '/me', { token })).body.permissions as string[];

describe('a custom role', () => {
  test('when it lists permissions, then exactly the routes of those open, whichever they are', async () => {
    const { items = [] } = (await asAdmin('GET', '/permissions')).body;
    const catalogue = (items as unknown as Pair[]).map(textOf);
    expect(catalogue.length).toBeGreaterThan(45);
    const person = await holder([{ resource: 'user', action: 'list' }]);
    const set = async (listed: string[], own: string[]) => {
      await asAdmin('PUT', `/roles/${person.roleId}/permissions`, { permissions: listed.map(pairOf) });
      const wanted = [...new Set([...listed, ...own])].toSorted();
      await until(async () => isDeepStrictEqual((await permissionsOf(person.token)).toSorted(), wanted), { what: 'the role as it is set' });
    };
    await asAdmin('PUT', `/roles/${person.roleId}/permissions`, { permissions: [] });
    await until(async () => !(await permissionsOf(person.token)).includes('user:list'), { what: 'the role to be empty' });
    const own = await permissionsOf(person.token);
    const everybodys = await openTo(person.token);
    expect(everybodys.has('listUsers')).toBe(false);
    for (const listed of separating(catalogue)) {
      await set(listed, own);
      expect(differences(listed, await openTo(person.token), everybodys)).toEqual([]);
    }
  }, 120_000);

  test('when it is read, changed and deleted, then by its version', async () => {
    const role = await newRole([{ resource: 'user', action: 'list' }]);
    const read = await asAdmin('GET', `/roles/${role.id}`);
    expect([read.headers.etag, read.body.system]).toEqual(['W/"1"', false]);
    const permissions = [{ resource: 'job', action: 'retry' }];
    const put = (version: number) =>
      call('PUT', `/org/roles/${role.id}/permissions`, {
        token: admin.token,
        body: { permissions },
        headers: { 'if-match': `W/"${version}"` },
      });
    expect(brief(await put(2))).toEqual([412, 'PRECONDITION_FAILED']);
    expect((await put(1)).body).toEqual({ permissions, version: 2 });
    expect((await asAdmin('GET', `/roles/${role.id}/permissions`)).body).toEqual({ permissions, version: 2 });
    expect((await asAdmin('PATCH', `/roles/${role.id}`, { description: null, name: 'Other name' })).body).toMatchObject({
      name: 'Other name',
      permissions,
    });
    expect((await asAdmin('DELETE', `/roles/${role.id}`)).status).toBe(204);
    expect(brief(await asAdmin('GET', `/roles/${role.id}`))).toEqual([404, 'ROLE_NOT_FOUND']);
  });

  test('when roles are listed, then those of the platform are there with what they may do, and nobody changes them', async () => {
    const { items = [] } = (await asAdmin('GET', '/roles?filter[system][eq]=true')).body;
    expect(items.map(({ name }) => name)).toEqual(['admin', 'approver', 'auditor', 'manager', 'requester']);
    const permissions = (name: string) => ((items.find((role) => role.name === name)?.permissions ?? []) as Pair[]).map(textOf);
    expect(permissions('auditor')).toContain('audit_event:list');
    expect(permissions('requester')).not.toContain('access_request:read');
    expect(permissions('manager')).toContain('resource:create');
    const path = `/roles/${items[0]?.id}`;
    for (const [method, where, body] of [
      ['PATCH', path, { name: 'mine' }],
      ['PUT', `${path}/permissions`, { permissions: [] }],
      ['DELETE', path, undefined],
    ] as const)
      expect(brief(await asAdmin(method, where, body))).toEqual([409, 'SYSTEM_ROLE']);
  });

  test('when a permission in it is wrong, then the field is named', async () => {
    const permissions = [{ resource: 'user', action: 'list' }, { resource: 'tenant', action: 'suspend' }, pairOf('approval:decide')];
    const { status, body } = await asAdmin('POST', '/roles', { name: 'Wrong', permissions });
    expect([status, body.errors?.map(({ pointer }) => pointer)]).toEqual([422, ['/permissions/1', '/permissions/2']]);
  });

  test('when somebody gives more than they have, then 403 tells what is missing', async () => {
    const person = await holder(['role:create', 'membership:update', 'user:create'].map(pairOf));
    const give = (method: string, path: string, body: unknown) => call(method, `/org${path}`, { token: person.token, body });
    const role = await give('POST', '/roles', { name: 'More', permissions: [pairOf('audit_event:list')] });
    expect([...brief(role), role.body.missing]).toEqual([403, 'CANNOT_GIVE', ['audit_event:list']]);
    expect(brief(await give('PATCH', `/memberships/${person.id}`, { orgRoles: ['admin'] }))).toEqual([403, 'CANNOT_GIVE']);
    const user = {
      email: `${randomUUID()}@x.test`,
      firstName: 'A',
      lastName: 'B',
      password: 'quarry lamp seven bridges',
      orgRoles: ['approver'],
    };
    expect(brief(await give('POST', '/users', user))).toEqual([403, 'CANNOT_GIVE']);
  });

  test('when it is somebody’s, then 409, and what it allowed is refused as soon as it is lost', async () => {
    const person = await holder([pairOf('user:list')]);
    expect((await call('GET', '/org/users', { token: person.token })).status).toBe(200);
    expect(brief(await asAdmin('DELETE', `/roles/${person.roleId}`))).toEqual([409, 'ROLE_IN_USE']);
    await asAdmin('PATCH', `/memberships/${person.id}`, { orgRoles: [], roles: [] });
    const refused = async () => (await call('GET', '/org/users', { token: person.token })).status === 403;
    await until(refused, { what: 'the loss to count', timeoutMs: toldMs });
  });

  test('when it opens the reading of requests, then those of others too, and still no vote', async () => {
    const type = {
      key: `t-${randomUUID()}`,
      name: 'T',
      connector: 'simulated',
      roles: ['reader'],
      sensitivity: 'medium',
      maxDuration: 'P1D',
    };
    const resourceTypeId = ((await asAdmin('POST', '/resource-types', type)).body as Item).id;
    const resource = (await asAdmin('POST', '/resources', { key: `r-${randomUUID()}`, name: 'R', resourceTypeId })).body as Item;
    const filing = { resourceId: resource.id, role: 'reader', justification: 'For an incident', duration: 'PT1H' };
    const request = (await call('POST', '/requests', { token: admin.token, body: filing })).body as Item;
    const stranger = await world.person(admin, slug, []);
    expect((await call('GET', `/requests/${request.id}`, { token: stranger.token })).status).toBe(403);
    const reader = await holder([pairOf('access_request:read')]);
    expect((await call('GET', `/requests/${request.id}`, { token: reader.token })).status).toBe(200);
    expect(brief(await call('POST', `/requests/${request.id}/approve`, { token: reader.token, body: {} }))).toEqual([403, 'NOT_ELIGIBLE']);
    expect((await call('POST', `/requests/${request.id}/cancel`, { token: reader.token, body: {} })).status).toBe(403);
  });
});

describe('a service account', () => {
  test('when it has scopes, then exactly the routes of those open, whichever they are', async () => {
    const { items = [] } = (await asAdmin('GET', '/permissions')).body;
    const scopes = (items as unknown as (Pair & { serviceAccounts: boolean })[])
      .filter(({ serviceAccounts }) => serviceAccounts)
      .map(textOf);
    expect(scopes.length).toBeGreaterThan(30);
    const { key } = await newAccount([]);
    expect([...(await openTo(key.key))]).toEqual([]);
    for (const listed of separating(scopes)) {
      const { key: own } = await newAccount(listed.map(pairOf));
      expect(differences(listed, await openTo(own.key), [])).toEqual([]);
    }
  }, 120_000);

  test.each([
    ['rubbish', 'aok_rubbish'],
    ['a key that was never made', 'aok_AZLwwXd3e02MbyqdHkt8NwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA00000000'],
  ])('when %s is shown, then 401', async (_, token) => {
    expect(brief(await call('GET', '/catalog/resources', { token }))).toEqual([401, 'INVALID_API_KEY']);
  });

  test('when a key is of another tenant than X-Tenant names, then 403; and the platform’s routes are closed to all keys', async () => {
    const { key } = await newAccount([pairOf('catalog:read')]);
    const other = await world.organization();
    const read = (tenant: string) => call('GET', '/catalog/resources', { token: key.key, headers: { 'x-tenant': tenant } });
    expect((await read(slug)).status).toBe(200);
    expect(brief(await read(other.slug))).toEqual([403, 'NOT_A_MEMBER']);
    expect(brief(await call('GET', '/admin/tenants', { token: key.key }))).toEqual([403, 'AUDIENCE_NOT_ALLOWED']);
  });

  test('when a key is revoked or the account changed or deleted, then it counts soon', async () => {
    const { account, key } = await newAccount([pairOf('catalog:read')]);
    const second = (await asAdmin('POST', `/service-accounts/${account.id}/keys`)).body as Item & { key: string };
    const statusOf = async (token: string) => (await call('GET', '/catalog/resources', { token })).status;
    const becomes = (token: string, status: number) =>
      until(async () => (await statusOf(token)) === status, { what: `status ${status}`, timeoutMs: toldMs });
    expect([await statusOf(key.key), await statusOf(second.key)]).toEqual([200, 200]);
    expect((await asAdmin('DELETE', `/service-accounts/${account.id}/keys/${key.id}`)).status).toBe(204);
    await becomes(key.key, 401);
    expect(await statusOf(second.key)).toBe(200);
    await asAdmin('PATCH', `/service-accounts/${account.id}`, { scopes: [pairOf('user:list')] });
    await becomes(second.key, 403);
    expect((await asAdmin('DELETE', `/service-accounts/${account.id}`)).status).toBe(204);
    await becomes(second.key, 401);
  });

  test('when a key is rotated, then both are good for the overlap, and the list says until when', async () => {
    const { account, key } = await newAccount([pairOf('catalog:read')]);
    const rotate = (keyId: string, body?: unknown) => asAdmin('POST', `/service-accounts/${account.id}/keys/${keyId}/rotate`, body);
    const next = (await rotate(key.id, { overlap: 'PT10M' })).body as Item & { key: string };
    const statusOf = async (token: string) => (await call('GET', '/catalog/resources', { token })).status;
    expect([await statusOf(key.key), await statusOf(next.key)]).toEqual([200, 200]);
    const { items = [] } = (await asAdmin('GET', `/service-accounts/${account.id}/keys`)).body;
    const old = items.find(({ id }) => id === key.id);
    expect(Date.parse(String(old?.expiresAt)) - Date.now()).toBeLessThanOrEqual(600_000);
    expect(old?.lastUsedAt).not.toBeNull();
    expect(JSON.stringify(items)).not.toContain(key.key);
    expect(brief(await rotate(next.id, { overlap: 'P31D' }))).toEqual([422, 'INVALID_FIELDS']);
    expect((await rotate(next.id, { overlap: 'PT0S' })).status).toBe(201);
    await until(async () => (await statusOf(next.key)) === 401, { what: 'the end of the old key', timeoutMs: toldMs });
  });

  test('when a machine asks, then neither who made it nor who owns it or has a key decides, also after it was handed over', async () => {
    const type = {
      key: `t-${randomUUID()}`,
      name: 'T',
      connector: 'simulated',
      roles: ['reader'],
      sensitivity: 'medium',
      maxDuration: 'P1D',
    };
    const { id: resourceTypeId } = (await asAdmin('POST', '/resource-types', type)).body as Item;
    const { id: resourceId } = (await asAdmin('POST', '/resources', { key: type.key, name: 'R', resourceTypeId })).body as Item;
    const [owner, keyMaker, other] = await Promise.all([
      world.person(admin, slug, ['approver']),
      world.person(admin, slug, ['admin'], 'org-admin'),
      world.person(admin, slug, ['approver']),
    ]);
    const { account, key } = await newAccount([pairOf('access_request:create'), pairOf('access_request:cancel')]);
    const file = async () =>
      (
        await call('POST', '/requests', {
          token: key.key,
          body: { resourceId, role: 'reader', justification: 'Nightly', duration: 'PT1H' },
        })
      ).body as Item;
    const decide = async (who: Person, { id }: Item, verb = 'approve') =>
      brief(await call('POST', `/requests/${id}/${verb}`, { token: who.token }));
    const forbidden = [403, 'SELF_APPROVAL_FORBIDDEN'];

    const before = await file();
    expect([await decide(admin, before), await decide(admin, before, 'reject')]).toEqual([forbidden, forbidden]);
    expect((await call('POST', `/org/service-accounts/${account.id}/keys`, { token: keyMaker.token })).status).toBe(201);
    const handed = await asAdmin('PATCH', `/service-accounts/${account.id}`, { ownerId: owner.id });
    expect(handed.body).toMatchObject({ ownerId: owner.id, createdBy: admin.id });
    const found = await asAdmin('GET', `/service-accounts?filter[ownerId][eq]=${owner.id}`);
    expect(found.body.items?.map(({ id }) => id)).toEqual([account.id]);
    // Filed before they were custodians: what counts is who is one now.
    const isAsked = async () => {
      const { items = [] } = (await call('GET', '/approvals/pending?limit=200', { token: owner.token })).body;
      return items.some(({ requestId }) => requestId === before.id);
    };
    await until(async () => !(await isAsked()), { timeoutMs: toldMs });
    expect([await decide(owner, before), await decide(keyMaker, before), await decide(admin, before)]).toEqual([
      forbidden,
      forbidden,
      forbidden,
    ]);
    expect(await decide(other, before)).toEqual([200, undefined]);
  });
});
