import { beforeAll, expect, test } from 'vitest';
import { call, login, pool, Tenant } from '../client.ts';
import { type DocumentedRoute, documentedRoutes, type Schema } from './document.ts';

const demoPassword = 'accessops-demo-2026';

/** What nobody says of themselves or of what they make: the product does. */
const guarded = [
  'id',
  'tenantId',
  'tenant',
  'status',
  'requesterId',
  'holderId',
  'orgRoles',
  'realmRoles',
  'roles',
  'permissions',
  'scopes',
  'active',
  'version',
  'createdAt',
  'requiredApprovals',
  'stages',
  'mfaLevel',
];

let routes: DocumentedRoute[];
let tokens: { admin: string; root: string };

beforeAll(async () => {
  const [tenant, root] = await Promise.all([Tenant.create('fields'), login('root@accessops.test', demoPassword, 'admin')]);
  tokens = { admin: tenant.admin.token, root: String(root.body.accessToken) };
  routes = (await documentedRoutes()).filter(({ schema, path }) => schema?.properties && !path.startsWith('/webhooks/'));
});

const label = ({ method, path }: DocumentedRoute) => `${method} ${path}`;
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an object of a body gets, and where: `/organization`. */
interface Planted {
  body: unknown;
  pointers: string[];
}

/** The example once for each object in it that the schema tells of, with every guarded field there that is not the object's own. */
const plant = (schema: Schema | undefined, example: unknown, at = ''): Planted[] => {
  const inside = (name: string, value: unknown, of: Schema | undefined, put: (planted: unknown) => unknown): Planted[] =>
    plant(of, value, `${at}/${name}`).map(({ body, pointers }) => ({ body: put(body), pointers }));
  if (Array.isArray(example))
    return example.flatMap((item, index) => inside(String(index), item, schema?.items, (planted) => example.with(index, planted)));
  if (!isObject(example) || !schema?.properties) return [];
  const { properties } = schema;
  const added = guarded.filter((field) => !Object.hasOwn(properties, field));
  return [
    { body: { ...example, ...Object.fromEntries(added.map((field) => [field, field])) }, pointers: added.map((field) => `${at}/${field}`) },
    ...Object.entries(example).flatMap(([name, value]) =>
      inside(name, value, properties[name], (planted) => ({ ...example, [name]: planted })),
    ),
  ];
};

const send = (route: DocumentedRoute, body: unknown) =>
  call(route.method, `/${route.path.replaceAll(/\{\w+\}/g, '0190a0a0-0000-7000-8000-000000000000')}`, {
    token: route.path.startsWith('/api/v1/admin/') ? tokens.root : tokens.admin,
    body,
    headers: { 'x-csrf-protection': '1' },
  });

test('when a body has fields that are not its own, at any level, then 422 names each of them', async () => {
  expect(routes.length).toBeGreaterThan(40);
  const planted = routes.flatMap((route) => plant(route.schema, route.example ?? {}).map((one) => ({ route, ...one })));
  const found = await pool(planted, 8, async ({ route, body, pointers }) => {
    const answer = await send(route, body);
    const told = new Set((answer.body.errors as { pointer: string }[] | undefined)?.map(({ pointer }) => pointer));
    const taken = pointers.filter((pointer) => !told.has(pointer));
    return answer.status === 422 && taken.length === 0 ? [] : [`${label(route)} answers ${answer.status} and takes ${taken.join(', ')}`];
  });
  expect(found.flat()).toEqual([]);
});

test('when a route takes what decides about rights, then it is one of those that are about them', () => {
  const taking = (field: string) => routes.filter(({ schema }) => schema?.properties && Object.hasOwn(schema.properties, field)).map(label);
  expect(['tenantId', 'requesterId', 'holderId', 'realmRoles', 'requiredApprovals', 'stages', 'mfaLevel'].flatMap(taking)).toEqual([]);
  expect(taking('orgRoles').toSorted()).toEqual([
    'PATCH /api/v1/org/memberships/{userId}',
    'POST /api/v1/org/invitations',
    'POST /api/v1/org/users',
  ]);
  expect(taking('status')).toEqual([]);
  expect(taking('active')).toEqual(['PATCH /api/v1/org/users/{id}']);
  expect([...new Set(['permissions', 'scopes'].flatMap(taking))].toSorted()).toEqual([
    'PATCH /api/v1/org/roles/{id}',
    'PATCH /api/v1/org/service-accounts/{id}',
    'POST /api/v1/org/roles',
    'POST /api/v1/org/service-accounts',
    'PUT /api/v1/org/roles/{id}/permissions',
  ]);
});
