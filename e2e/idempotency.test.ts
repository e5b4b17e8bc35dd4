import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, codeOf, type Item, type Person, Tenant } from './client.ts';

describe('Idempotency-Key', () => {
  let tenant: Tenant;
  let requester: Person;
  let type: Item;

  beforeAll(async () => {
    tenant = await Tenant.create('idem');
    requester = await tenant.person('requester', ['requester']);
    type = await tenant.type();
  });

  const body = (resourceId: string, justification = 'first') => ({ resourceId, role: 'reader', justification, duration: 'PT2H' });

  test('when the same call comes again, then it answers the same and acts once', async () => {
    const { id } = await tenant.resource(type.id);
    const headers = { 'idempotency-key': randomUUID() };
    const first = await call('POST', '/requests', { token: requester.token, body: body(id), headers });
    const second = await call('POST', '/requests', { token: requester.token, body: body(id), headers });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.text).toBe(first.text);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });

  test('when the key comes with another body, then it is refused', async () => {
    const { id } = await tenant.resource(type.id);
    const headers = { 'idempotency-key': randomUUID() };
    expect((await call('POST', '/requests', { token: requester.token, body: body(id), headers })).status).toBe(201);
    const other = await call('POST', '/requests', { token: requester.token, body: body(id, 'second'), headers });
    expect([other.status, codeOf(other)]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  test('when 20 of the same call are under way, then one acts and the others say so or replay it', async () => {
    const { id } = await tenant.resource(type.id);
    const headers = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call('POST', '/requests', { token: requester.token, body: body(id), headers })),
    );
    const filed = new Set(answers.filter(({ status }) => status === 201).map((answer) => answer.body.id));
    expect(filed.size).toBe(1);
    for (const answer of answers.filter(({ status }) => status !== 201))
      expect([answer.status, codeOf(answer)]).toEqual([409, 'IDEMPOTENCY_IN_PROGRESS']);
  });

  test('when two people use the same key, then they do not meet', async () => {
    const other = await tenant.person('other', ['requester']);
    const { id } = await tenant.resource(type.id);
    const headers = { 'idempotency-key': randomUUID() };
    const answers = [
      await call('POST', '/requests', { token: requester.token, body: body(id), headers }),
      await call('POST', '/requests', { token: other.token, body: body(id), headers }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(answers[0]?.body.id).not.toBe(answers[1]?.body.id);
  });

  test.each([
    ['a team', '/org/teams', () => ({ name: `Team ${randomUUID()}` })],
    [
      'a user',
      '/org/users',
      () => ({
        email: `u${randomUUID()}@x.test`,
        firstName: 'U',
        lastName: 'V',
        password: `Quarry-${randomUUID()}`,
        orgRoles: ['requester'],
      }),
    ],
    ['a resource', '/org/resources', () => ({ key: `r-${randomUUID().slice(0, 13)}`, name: 'R', resourceTypeId: type.id })],
    [
      'a type',
      '/org/resource-types',
      () => ({
        key: `t-${randomUUID().slice(0, 13)}`,
        name: 'T',
        connector: 'simulated',
        roles: ['reader'],
        sensitivity: 'low',
        maxDuration: 'PT1H',
      }),
    ],
  ])('when %s is created twice under one key, then there is one', async (_, path, make) => {
    const options = { token: tenant.admin.token, body: make(), headers: { 'idempotency-key': randomUUID() } };
    const [first, second] = [await call('POST', path, options), await call('POST', path, options)];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.text).toBe(first.text);
  });

  test('when the key is no key, then it is refused', async () => {
    const { id } = await tenant.resource(type.id);
    const answer = await call('POST', '/requests', {
      token: requester.token,
      body: body(id),
      headers: { 'idempotency-key': 'x'.repeat(300) },
    });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'INVALID_HEADER']);
  });
});
