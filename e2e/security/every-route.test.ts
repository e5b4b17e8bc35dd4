import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { type Answer, call, codeOf, login, pool, Tenant } from '../client.ts';
import { type DocumentedRoute, documentedRoutes } from './document.ts';
import { type Estate, foreignEstate, kindOf, ownEstate, type Things, tenantRoles } from './estate.ts';
import { type Expectation, expectations, type Role, roles } from './expectations.ts';

const demoPassword = 'accessops-demo-2026';
const password = 'quarry lamp seven bridges';

let documented: DocumentedRoute[];
let home: Estate;
let abroad: Awaited<ReturnType<typeof foreignEstate>>;
/** A tenant that the platform may do anything to. */
let elsewhere: Tenant;
const tokens: Partial<Record<Role, string>> = {};

beforeAll(async () => {
  documented = await documentedRoutes();
  const staff = async (name: string) => String((await login(`${name}@accessops.test`, demoPassword, 'admin')).body.accessToken);
  [home, abroad, elsewhere] = await Promise.all([ownEstate(), foreignEstate(), Tenant.create('elsewhere')]);
  [tokens.root, tokens.support] = await Promise.all([staff('root'), staff('support')]);
  for (const role of tenantRoles) tokens[role] = home.people[role].token;
});

const newPerson = () => ({ email: `${randomUUID()}@x.test`, password, firstName: 'Una', lastName: 'User' });

/** Bodies that reach further than the example in the document. */
const bodies: Record<string, (things: Things) => unknown> = {
  'POST /api/v1/auth/register': newPerson,
  'POST /api/v1/requests': ({ resource }) => ({ resourceId: resource, role: 'reader', justification: 'Trying', duration: 'PT1H' }),
  'POST /api/v1/org/users': () => ({ ...newPerson(), orgRoles: [] }),
  'POST /api/v1/org/teams/{id}/members': ({ user }) => ({ userId: user, role: 'member' }),
  'POST /api/v1/org/resources': ({ type }) => ({ key: randomUUID(), name: 'Tried', resourceTypeId: type }),
};

/** What is called the same in every tenant. */
const everywhere: Things = { setting: 'session.lifetime-hours' };

/** One call. What changes or deletes names a version that there never was: it is allowed or not, and nothing happens. */
const tryRoute = ({ method, path, params, example }: DocumentedRoute, role: Role, things: Things): Promise<Answer> => {
  const named = { ...everywhere, ...things };
  const target = params.reduce((text, param) => text.replace(`{${param}}`, named[kindOf(path, param)] ?? randomUUID()), path);
  return call(method, `/${target}`, {
    token: tokens[role],
    body: bodies[`${method} ${path}`]?.(things) ?? example,
    headers: {
      'x-csrf-protection': '1',
      'x-access-reason': 'Security suite',
      ...(['PATCH', 'PUT', 'DELETE'].includes(method) ? { 'if-match': 'W/"987654321"' } : {}),
    },
  });
};

const refusals = ['INVALID_TOKEN', 'AUDIENCE_NOT_ALLOWED', 'PERMISSION_DENIED', 'NOT_ELIGIBLE', 'SELF_APPROVAL_FORBIDDEN'];
// Told only to those who may: a state, a version, or a secret of the body, which is an example, stands in the way.
const obstacles = [
  'DEAD_LETTER_NOT_FOUND',
  'INSUFFICIENT_AUTHENTICATION',
  'INVALID_HEADER',
  'INVALID_CREDENTIALS',
  'INVALID_REFRESH_TOKEN',
  'INVALID_MFA_CODE',
  'WEBHOOK_NOT_CONFIGURED',
  'WEBHOOK_SIGNATURE_INVALID',
];

const verdictOf = (answer: Answer): string => {
  const code = codeOf(answer) ?? '';
  if (refusals.includes(code)) return 'refused';
  if (answer.status < 300 || [409, 410, 412, 422].includes(answer.status) || obstacles.includes(code)) return 'through';
  return answer.status === 404 ? 'absent' : `${answer.status} ${code}`;
};

interface Cell {
  route: DocumentedRoute;
  role: Role;
  expected: Expectation;
}

/** Of every route as everybody, what is chosen. */
const cells = (choose: (cell: Cell) => boolean): Cell[] =>
  expectations
    .flatMap(({ method, path, by }) => {
      const route = documented.find((one) => one.method === method && one.path === path);
      return route ? roles.map((role) => ({ route, role, expected: by[role] })) : [];
    })
    .filter(choose);

const label = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

const isStaff = (role: Role) => role === 'support' || role === 'root';

/** Tries cells and answers what did not end as wanted, or told of what another tenant has. */
const tryAll = async (chosen: Cell[], thingsOf: (cell: Cell) => Things, wanted: (cell: Cell) => string[]): Promise<string[]> => {
  const found = await pool(chosen, 8, async (cell) => {
    const answer = await tryRoute(cell.route, cell.role, thingsOf(cell));
    const leaks = answer.status < 300 && !isStaff(cell.role) && Object.values(abroad.things).some((id) => answer.text.includes(id));
    const verdict = leaks ? 'a leak' : verdictOf(answer);
    const should = wanted(cell);
    return should.includes(verdict)
      ? []
      : [`${label(cell.route)} as ${cell.role}: ${verdict} instead of ${should.join(' or ')}: ${answer.text.slice(0, 200)}`];
  });
  return found.flat();
};

const others = ({ route }: Cell): Things =>
  route.path.startsWith('/api/v1/admin/') ? { ...home.things, tenant: elsewhere.id } : home.things;
const own = ({ role }: Cell): Things => ({
  ...home.things,
  ...(role in home.people ? home.people[role as keyof Estate['people']].own : {}),
});
const namesThings = ({ route }: Cell) => route.params.length > 0;

test('when the document tells of a route, then it has an expectation, and no expectation is of a route that is gone', () => {
  expect(expectations.map(label).toSorted()).toEqual(documented.map(label).toSorted());
});

test('when somebody is of the platform, then they reach nothing of a tenant but what is the platform’s to do, and support changes nothing', () => {
  const allowed = (role: Role) => expectations.filter(({ by }) => by[role] !== '-');
  const isTenants = ({ path }: { path: string }) => /^\/api\/v1\/(?!auth\/|admin\/)/.test(path);
  expect([...allowed('root'), ...allowed('support')].filter(isTenants)).toEqual([]);
  const isOwnSession = ({ path }: { path: string }) => /^\/api\/v1\/auth\/|^\/webhooks\//.test(path);
  expect(allowed('support').filter((route) => route.method !== 'GET' && !isOwnSession(route))).toEqual([]);
});

test('when somebody may not call a route, then they are refused, be it about their own or not', async () => {
  const closed = cells(({ expected }) => expected === '-');
  expect(await tryAll(closed, others, () => ['refused'])).toEqual([]);
  expect(await tryAll(closed.filter(namesThings), own, () => ['refused'])).toEqual([]);
});

test('when somebody may only where it is their own, then they are refused what is another’s', async () => {
  expect(
    await tryAll(
      cells(({ expected }) => expected === 'own'),
      others,
      () => ['refused'],
    ),
  ).toEqual([]);
});

test('when they name what is another tenant’s, then for whoever may call at all it is not there, and others learn nothing', async () => {
  const reaching = cells((cell) => namesThings(cell) && cell.route.path.startsWith('/api/v1/') && !isPlatforms(cell) && !isSetting(cell));
  expect(
    await tryAll(
      reaching,
      () => abroad.things,
      ({ expected }) => (expected === '-' ? ['refused', 'absent'] : ['absent']),
    ),
  ).toEqual([]);
});

const isPlatforms = ({ route }: Cell) => route.path.startsWith('/api/v1/admin/');
// Settings have the same names everywhere.
const isSetting = ({ route }: Cell) => route.path.includes('/settings/');

test.each<[string, string, (things: Things) => unknown]>([
  ['POST', '/requests', ({ resource }) => ({ resourceId: resource, role: 'reader', justification: 'Trying', duration: 'PT1H' })],
  ['POST', '/org/resources', ({ type }) => ({ key: randomUUID(), name: 'Tried', resourceTypeId: type })],
  ['POST', '/org/resources', ({ team }) => ({ key: randomUUID(), name: 'Tried', resourceTypeId: home.things.type, owningTeamId: team })],
  ['PATCH', '/org/resources/{resource}', ({ team }) => ({ owningTeamId: team })],
  ['POST', '/org/teams/{team}/members', ({ user }) => ({ userId: user, role: 'member' })],
  ['PATCH', '/org/memberships/{user}', ({ role }) => ({ orgRoles: [], roles: [role] })],
])('when the body of %s %s names what another tenant has, then it is not there', async (method, path, body) => {
  const target = path.replace(/\{(\w+)\}/, (_, kind: string) => home.things[kind as keyof Things] ?? '');
  const answer = await call(method, target, { token: tokens.admin, body: body(abroad.things) });
  expect([404, 422]).toContain(answer.status);
  expect(answer.text).not.toContain(abroad.tenant.slug);
});

test('when somebody decides on their own request, then they are refused, whoever they are', async () => {
  const deciding = cells(({ route }) => /\/(approve|reject)$/.test(route.path));
  expect(
    await tryAll(
      deciding,
      (cell) => ({ waiting: own(cell).pending }),
      () => ['refused'],
    ),
  ).toEqual([]);
});

test('when somebody may call a route, then they get through', async () => {
  expect(
    await tryAll(
      cells(({ expected }) => expected !== '-'),
      (cell) => (cell.expected === 'own' ? own(cell) : others(cell)),
      () => ['through'],
    ),
  ).toEqual([]);
});
