import { beforeAll, describe, expect, inject, test } from 'vitest';
import { call, filed, type Item, listAll, must, type Person, pool, reaches, Tenant } from './client.ts';

// Keycloak takes a third of a second for each of the passwords.
const tenants = inject('provider') === 'local' ? 100 : 8;

/** Everything one tenant owns, by kind. */
interface World {
  tenant: Tenant;
  requester: Person;
  owned: Record<string, string>;
}

const build = async (index: number): Promise<World> => {
  const tenant = await Tenant.create(`iso${index}`);
  const requester = await tenant.person('requester', ['requester']);
  const team = await tenant.team([requester]);
  const type = await tenant.type({ sensitivity: 'low' });
  const resource = await tenant.resource(type.id);
  const request = await filed(requester, resource.id, { duration: 'PT1H' });
  const active = await reaches(requester, request.id, 'ACTIVE', 60_000);
  return {
    tenant,
    requester,
    owned: {
      user: requester.id,
      team: team.id,
      type: type.id,
      resource: resource.id,
      request: request.id,
      job: String(active.jobId),
      grant: String(active.grantId),
    },
  };
};

/** Every list of the API, with the token it is read with. */
const lists: [path: string, as: 'admin' | 'requester'][] = [
  ['/catalog/resources', 'requester'],
  ['/catalog/resource-types', 'requester'],
  ['/requests', 'admin'],
  ['/requests/me', 'requester'],
  ['/approvals/pending', 'admin'],
  ['/grants/me', 'requester'],
  ['/me/teams', 'requester'],
  ['/org/users', 'admin'],
  ['/org/teams', 'admin'],
  ['/org/memberships', 'admin'],
  ['/org/resource-types', 'admin'],
  ['/org/resources', 'admin'],
  ['/org/jobs', 'admin'],
  ['/org/grants', 'admin'],
  ['/org/audit', 'admin'],
];

/** Every call on one thing, with the kind of thing. */
const singles: [method: string, path: (id: string) => string, kind: string, as: 'admin' | 'requester', body?: unknown][] = [
  ['GET', (id) => `/catalog/resources/${id}`, 'resource', 'requester'],
  ['GET', (id) => `/requests/${id}`, 'request', 'admin'],
  ['POST', (id) => `/requests/${id}/cancel`, 'request', 'requester', {}],
  ['POST', (id) => `/requests/${id}/withdraw`, 'request', 'requester', {}],
  ['POST', (id) => `/requests/${id}/approve`, 'request', 'admin', {}],
  ['POST', (id) => `/requests/${id}/reject`, 'request', 'admin', {}],
  ['GET', (id) => `/approvals/${id}`, 'request', 'admin'],
  ['GET', (id) => `/grants/${id}`, 'grant', 'admin'],
  ['POST', (id) => `/grants/${id}/revoke`, 'grant', 'admin', {}],
  ['POST', (id) => `/grants/${id}/credential`, 'grant', 'requester', {}],
  ['GET', (id) => `/jobs/${id}/status`, 'job', 'admin'],
  ['GET', (id) => `/me/teams/${id}/members`, 'team', 'requester'],
  ['GET', (id) => `/org/users/${id}`, 'user', 'admin'],
  ['PATCH', (id) => `/org/users/${id}`, 'user', 'admin', { firstName: 'Eve' }],
  ['DELETE', (id) => `/org/users/${id}`, 'user', 'admin'],
  ['PATCH', (id) => `/org/memberships/${id}`, 'user', 'admin', { orgRoles: ['auditor'] }],
  ['GET', (id) => `/org/teams/${id}`, 'team', 'admin'],
  ['PATCH', (id) => `/org/teams/${id}`, 'team', 'admin', { name: 'Eve' }],
  ['DELETE', (id) => `/org/teams/${id}`, 'team', 'admin'],
  ['GET', (id) => `/org/resource-types/${id}`, 'type', 'admin'],
  ['PATCH', (id) => `/org/resource-types/${id}`, 'type', 'admin', { name: 'Eve' }],
  ['DELETE', (id) => `/org/resource-types/${id}`, 'type', 'admin'],
  ['GET', (id) => `/org/resources/${id}`, 'resource', 'admin'],
  ['PATCH', (id) => `/org/resources/${id}`, 'resource', 'admin', { name: 'Eve' }],
  ['DELETE', (id) => `/org/resources/${id}`, 'resource', 'admin'],
  ['POST', (id) => `/org/jobs/${id}/retry`, 'job', 'admin', {}],
  ['POST', (id) => `/org/grants/${id}/revoke`, 'grant', 'admin', {}],
];

describe(`${tenants} tenants`, () => {
  let worlds: World[];

  beforeAll(async () => {
    worlds = await pool(Array.from({ length: tenants }), 4, (_, index) => build(index));
  }, 240_000);

  const tokenOf = ({ tenant, requester }: World, as: 'admin' | 'requester') => (as === 'admin' ? tenant.admin.token : requester.token);

  test('when each lists everything it can, then no list holds a row of another', async () => {
    const foreign: string[] = [];
    await pool(worlds, 4, async (world) => {
      const others = new Set(
        worlds
          .filter((other) => other !== world)
          .flatMap((other) => [...Object.values(other.owned), other.tenant.id, other.tenant.admin.id]),
      );
      for (const [path, as] of lists) {
        const items = await listAll(path, tokenOf(world, as));
        const own = JSON.stringify(items);
        for (const id of own.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [])
          if (others.has(id)) foreign.push(`${path} shows ${id}`);
      }
    });
    expect(foreign).toEqual([]);
  });

  test('when each names what belongs to another, then it is not there', async () => {
    const answers = new Map<string, number>();
    await pool(worlds, 4, async (world, index) => {
      const other = worlds[(index + 1) % worlds.length] as World;
      for (const [method, path, kind, as, body] of singles) {
        const { status } = await call(method, path(String(other.owned[kind])), { token: tokenOf(world, as), body });
        if (status !== 404)
          answers.set(`${method} ${path('{id}')} ${status}`, (answers.get(`${method} ${path('{id}')} ${status}`) ?? 0) + 1);
      }
    });
    expect([...answers]).toEqual([]);
  });

  test('when all of that has been tried, then nothing of anyone has changed', async () => {
    await pool(worlds, 4, async (world) => {
      const { owned, requester, tenant } = world;
      expect(await must(200, 'GET', `/requests/${owned.request}`, { token: requester.token })).toMatchObject({ status: 'ACTIVE' });
      const names = [
        await must(200, 'GET', `/org/users/${owned.user}`, { token: tenant.admin.token }),
        await must(200, 'GET', `/org/teams/${owned.team}`, { token: tenant.admin.token }),
        await must(200, 'GET', `/org/resource-types/${owned.type}`, { token: tenant.admin.token }),
        await must(200, 'GET', `/org/resources/${owned.resource}`, { token: tenant.admin.token }),
      ] as Item[];
      expect(names.flatMap(({ name, firstName }) => [name, firstName])).not.toContain('Eve');
    });
  });

  test('when another tenant is named by header, then a stranger is refused', async () => {
    const [first, second] = worlds as [World, World];
    const answer = await call('GET', '/me', { token: first.requester.token, headers: { 'x-tenant': second.tenant.slug } });
    expect(answer.status).toBe(403);
  });
});
