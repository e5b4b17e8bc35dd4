import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, type Person, requestFields, Suite, Tenant } from './suite.ts';

describe('lists of requests', () => {
  let suite: Suite;
  let tenant: Tenant;
  let alice: Person;
  let bob: Person;
  let filed: string[];

  beforeAll(async () => {
    suite = await Suite.start();
    tenant = new Tenant(suite);
    [alice, bob] = await Promise.all([tenant.person(['requester']), tenant.person(['requester'])]);
    const type = await tenant.type();
    filed = [];
    for (const who of [alice, bob, alice, bob, alice]) {
      const resource = await tenant.resource(type);
      filed.push((await suite.client.submitRequest(requestFields(resource), who)).id);
    }
    await suite.client.cancelRequest({ id: filed[0] ?? '' }, alice);
  });
  afterAll(() => suite.stop());

  test.each([['admin'], ['auditor']])('when an %s lists all, then all of the tenant are there, the newest first', async (role) => {
    const { items, page } = await suite.client.listRequests({}, await tenant.person([role]));
    expect(items.map(({ id }) => id)).toEqual([...filed].reverse());
    expect(page?.next).toBe('');
  });

  test.each([['requester'], ['approver'], ['manager']])('when a %s lists all, then it is refused', async (role) => {
    expect(await codeOf(suite.client.listRequests({}, await tenant.person([role])))).toBe('PERMISSION_DENIED');
  });

  test('when somebody lists their own, then only these are there, whatever is filtered', async () => {
    const { items } = await suite.client.listMyRequests({}, bob);
    expect(items.map(({ id }) => id)).toEqual([filed[3], filed[1]]);
    const others = await suite.client.listMyRequests(
      { query: { filters: [{ field: 'requesterId', operator: Operator.EQ, values: [alice.id] }] } },
      bob,
    );
    expect(others.items).toEqual([]);
  });

  test('when pages are small, then each request comes once', async () => {
    const seen: string[] = [];
    let after = '';
    do {
      const { items, page } = await suite.client.listRequests(
        {
          query: {
            limit: 2,
            after,
            sort: [
              { field: 'status', descending: true },
              { field: 'createdAt', descending: false },
            ],
          },
        },
        await tenant.admin,
      );
      seen.push(...items.map(({ id }) => id));
      after = page?.next ?? '';
    } while (after);
    expect(seen).toEqual([...filed.slice(1), filed[0]]);
  });

  test.each([
    ['status', Operator.EQ, ['CANCELLED'], 1],
    ['status', Operator.IN, ['PENDING', 'ACTIVE'], 4],
    ['status', Operator.LIKE, ['can%'], 1],
    ['role', Operator.NE, ['reader'], 0],
    ['createdAt', Operator.GT, ['2020-01-01T00:00:00Z'], 5],
    ['updatedAt', Operator.LT, ['2020-01-01T00:00:00Z'], 0],
  ])('when %s is filtered by operator %i with %j, then %i fit', async (field, operator, values, count) => {
    const { items } = await suite.client.listRequests({ query: { filters: [{ field, operator, values }] } }, await tenant.admin);
    expect(items).toHaveLength(count);
  });

  test.each([
    ['an unknown field', { filters: [{ field: 'justification', operator: Operator.EQ, values: ['x'] }] }],
    ['SQL', { filters: [{ field: 'id', operator: Operator.EQ, values: [`' or 1=1 --`] }] }],
    ['a prototype', { filters: [{ field: '__proto__', operator: Operator.EQ, values: ['x'] }] }],
    ['an unknown sort key', { sort: [{ field: 'tenantId', descending: false }] }],
  ])('when %s is asked for, then the query is refused', async (_, query) => {
    expect(await codeOf(suite.client.listRequests({ query }, await tenant.admin))).toBe('INVALID_FILTER');
  });

  test('when the cursor is made up, then it is refused', async () => {
    expect(await codeOf(suite.client.listRequests({ query: { after: 'x' } }, await tenant.admin))).toBe('INVALID_CURSOR');
  });
});
