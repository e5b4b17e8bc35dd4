import { beforeAll, expect, test } from 'vitest';
import { call, filed, listAll, login, must, pool, Tenant } from '../client.ts';
import { type DocumentedRoute, documentedRoutes } from './document.ts';

const demoPassword = 'accessops-demo-2026';

const attacks = [
  "' or '1'='1",
  "' or 1=1 --",
  '" or ""="',
  "'; drop table tenant; --",
  "') union select null, null, null --",
  "\\' or 1=1 --",
  '$1) or (1=1',
  '1; select pg_sleep(10)',
  "x' || (select email from account limit 1) || '",
  '{"$gt": ""}',
];

let tenant: Tenant;
let lists: DocumentedRoute[];
let root: string;
beforeAll(async () => {
  tenant = await Tenant.create('injection');
  root = String((await login('root@accessops.test', demoPassword, 'admin')).body.accessToken);
  lists = (await documentedRoutes()).filter(({ isList, params }) => isList && params.length === 0);
  await filed(tenant.admin, (await tenant.resource((await tenant.type()).id)).id);
  await tenant.team();
});

const ask = (path: string, query: string) =>
  call('GET', `/${path}?${query}`, { token: path.startsWith('/api/v1/admin/') ? root : tenant.admin.token });

test('when SQL stands in a filter, then it is a value that nothing has, or refused, whatever the list and the field', async () => {
  expect(lists.length).toBeGreaterThan(20);
  const operators = ['eq', 'in', 'like'];
  const tries = lists.flatMap(({ path, filters }) =>
    filters.flatMap((field) => attacks.map((attack, index) => ({ path, field, operator: operators[index % 3], attack }))),
  );
  const found = await pool(tries, 8, async ({ path, field, operator, attack }) => {
    const { status, body } = await ask(path, `filter[${field}][${operator}]=${encodeURIComponent(attack)}`);
    const isFine = status === 400 || (status === 200 && body.items?.length === 0);
    return isFine ? [] : [`${path} ${field} ${operator} ${attack}: ${status}, ${body.items?.length} items`];
  });
  expect(found.flat()).toEqual([]);
});

test('when SQL stands where a name of a field, an order, a cursor or a limit does, then it is refused', async () => {
  const tries = lists.flatMap(({ path }) =>
    attacks.flatMap((attack) => {
      const text = encodeURIComponent(attack);
      return [`filter[${text}][eq]=x`, `filter[id][${text}]=x`, `sort=${text}`, `cursor=${text}`, `limit=${text}`].map((query) => ({
        path,
        query,
      }));
    }),
  );
  const answers = await pool(tries, 8, async ({ path, query }) => `${(await ask(path, query)).status} ${path}`);
  expect(answers.filter((answer) => !answer.startsWith('400 '))).toEqual([]);
});

test('when SQL stands in a path or a text, then it is no id, and a text like others', async () => {
  for (const attack of attacks) {
    const answer = await call('GET', `/requests/${encodeURIComponent(attack)}`, { token: tenant.admin.token });
    expect([400, 404]).toContain(answer.status);
    const { name } = await must(201, 'POST', '/org/teams', { token: tenant.admin.token, body: { name: attack } });
    expect(name).toBe(attack);
  }
  expect((await listAll('/org/teams', tenant.admin.token)).map(({ name }) => name)).toEqual(expect.arrayContaining(attacks));
});
