import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Call, type Item, type Person, startWorld, type World } from './world.ts';

describe('If-Match', () => {
  let world: World;
  let call: Call;
  let admin: Person;
  let typeId: string;

  beforeAll(async () => {
    world = await startWorld();
    call = world.call;
    ({ admin } = await world.organization());
    typeId = (await create('/org/resource-types', newType())).slice('/org/resource-types/'.length);
  });
  afterAll(() => world.close());

  const create = async (path: string, body: unknown) =>
    `${path}/${((await call('POST', path, { token: admin.token, body })).body as Item).id}`;
  const newType = () => ({
    key: `t-${randomUUID()}`,
    name: 'Type',
    connector: 'simulated',
    roles: ['reader'],
    sensitivity: 'low',
    maxDuration: 'P1D',
  });
  const newUser = () => ({
    email: `${randomUUID()}@if-match.test`,
    firstName: 'Una',
    lastName: 'User',
    password: 'quarry lamp seven bridges',
    orgRoles: ['requester'],
  });
  const things: Record<string, { make(): Promise<string>; field: string; removable: boolean }> = {
    user: { make: () => create('/org/users', newUser()), field: 'firstName', removable: true },
    team: { make: () => create('/org/teams', { name: randomUUID() }), field: 'name', removable: true },
    resource: {
      make: () => create('/org/resources', { key: `r-${randomUUID()}`, name: 'Resource', resourceTypeId: typeId }),
      field: 'name',
      removable: true,
    },
    'resource type': { make: () => create('/org/resource-types', newType()), field: 'name', removable: true },
    me: { make: () => Promise.resolve('/me'), field: 'firstName', removable: false },
    tenant: { make: () => Promise.resolve('/org/tenant'), field: 'name', removable: false },
  };
  const removable = Object.entries(things).filter(([, thing]) => thing.removable);

  const read = (path: string) => call('GET', path, { token: admin.token });
  const patch = (path: string, ifMatch: string, body: unknown) =>
    call('PATCH', path, { token: admin.token, body, headers: { 'if-match': ifMatch } });
  const remove = (path: string, ifMatch: string) => call('DELETE', path, { token: admin.token, headers: { 'if-match': ifMatch } });
  const etagOf = async (path: string) => String((await read(path)).headers.etag);

  describe.each(Object.entries(things))('of a %s', (_, { make, field }) => {
    test('when its ETag is the current one, then it is changed and has another', async () => {
      const path = await make();
      const before = await etagOf(path);
      const changed = await patch(path, before, { [field]: 'Changed' });
      expect([changed.status, changed.body[field]]).toEqual([200, 'Changed']);
      expect(changed.headers.etag).toBe(await etagOf(path));
      expect(changed.headers.etag).not.toBe(before);
    });

    test('when its ETag is an old one, then nothing is changed', async () => {
      const path = await make();
      const before = await etagOf(path);
      await patch(path, '*', { [field]: 'First' });
      for (const stale of [before, before.replace('W/', ''), 'W/"0"', '"nonsense"']) {
        const refused = await patch(path, stale, { [field]: 'Second' });
        expect([refused.status, refused.body.error?.code]).toEqual([412, 'PRECONDITION_FAILED']);
      }
      expect((await read(path)).body[field]).toBe('First');
    });

    test('when many change it at once with one ETag, then one wins and no other is lost', async () => {
      const path = await make();
      const before = await etagOf(path);
      const names = Array.from({ length: 8 }, (_unused, index) => `Name ${index}`);
      const answers = await Promise.all(names.map((name) => patch(path, before, { [field]: name })));
      const won = answers.filter(({ status }) => status === 200);
      expect(answers.filter(({ status, body }) => status === 412 && body.error?.code === 'PRECONDITION_FAILED')).toHaveLength(7);
      expect(won).toHaveLength(1);
      expect((await read(path)).body).toEqual(won[0]?.body);
    });
  });

  test.each(removable)('when a %s was changed since it was read, then it is not deleted', async (_, { make, field }) => {
    const path = await make();
    const before = await etagOf(path);
    expect((await patch(path, before, { [field]: randomUUID() })).status).toBe(200);
    expect((await remove(path, before)).status).toBe(412);
    expect((await read(path)).status).toBe(200);
    expect((await remove(path, await etagOf(path))).status).toBe(204);
  });

  test('when a membership was changed since it was read, then its roles stay', async () => {
    const path = (await create('/org/users', newUser())).replace('users', 'memberships');
    const first = await patch(path, '"1"', { orgRoles: ['auditor'] });
    expect([first.status, first.headers.etag]).toEqual([200, 'W/"2"']);
    expect((await patch(path, '"1"', { orgRoles: ['admin'] })).status).toBe(412);
  });

  test('when a stale change is repeated with its Idempotency-Key after it went through, then the first answer comes again', async () => {
    const path = await things.team?.make();
    const headers = { 'if-match': await etagOf(String(path)), 'idempotency-key': randomUUID() };
    const change = () => call('PATCH', String(path), { token: admin.token, body: { description: 'Once' }, headers });
    const first = await change();
    const again = await change();
    expect([first.status, again.status, again.headers['idempotency-replayed']]).toEqual([200, 200, 'true']);
    expect(again.body).toEqual(first.body);
  });

  test('when the thing is not there, then it is 404 whatever is expected of it', async () => {
    expect((await patch(`/org/teams/${randomUUID()}`, '*', { name: 'x' })).status).toBe(404);
  });

  test('when something new comes with If-Match, which means nothing there, then it is not passed over', async () => {
    const answer = await call('POST', '/org/teams', { token: admin.token, body: { name: 'x' }, headers: { 'if-match': 'W/"1"' } });
    expect([answer.status, answer.body.error?.code]).toEqual([400, 'INVALID_HEADER']);
  });

  test('when If-Match is malformed, then 400', async () => {
    expect((await patch('/org/tenant', 'W/3', { name: 'x' })).status).toBe(400);
  });
});
