import { beforeAll, describe, expect, inject, test } from 'vitest';
import { call, filed, listAll, must, type Person, pool, reaches, Tenant } from '../client.ts';
import { type DocumentedRoute, documentedRoutes } from './document.ts';
import { kindOf, type Things } from './estate.ts';
import { expectations } from './expectations.ts';

// Keycloak takes a third of a second for each of the passwords.
const tenants = inject('provider') === 'local' ? 100 : 8;

/** Everything one tenant owns, by kind. */
interface World {
  tenant: Tenant;
  requester: Person;
  owned: Things;
}

const build = async (index: number): Promise<World> => {
  const tenant = await Tenant.create(`iso${index}`);
  const requester = await tenant.person('requester', ['requester']);
  const team = await tenant.team([requester]);
  const type = await tenant.type({ sensitivity: 'low' });
  const resource = await tenant.resource(type.id);
  const request = await filed(requester, resource.id, { duration: 'PT1H' });
  const make = async (path: string, body: unknown) =>
    String((await must(201, 'POST', `/org${path}`, { token: tenant.admin.token, body })).id);
  const [role, account, flag, active] = await Promise.all([
    make('/roles', { name: 'Watchers', permissions: [] }),
    make('/service-accounts', { name: 'ci', scopes: [] }),
    make('/feature-flags', { name: 'new-catalogue', enabled: true }),
    reaches(requester, request.id, 'ACTIVE'),
  ]);
  return {
    tenant,
    requester,
    owned: {
      user: requester.id,
      teammate: requester.id,
      team: team.id,
      type: type.id,
      resource: resource.id,
      role,
      account,
      flag,
      active: request.id,
      pending: request.id,
      waiting: request.id,
      job: String(active.jobId),
      grant: String(active.grantId),
    },
  };
};

type Caller = 'admin' | 'requester';

interface Tried {
  route: DocumentedRoute;
  as: Caller;
}

/** The routes of tenants that are wanted, by the first of the callers who may call them. */
const routesOf = async (wanted: (route: DocumentedRoute) => boolean, callers: Caller[]): Promise<Tried[]> => {
  const documented = (await documentedRoutes()).filter(({ path }) => path.startsWith('/api/v1/') && !path.startsWith('/api/v1/admin/'));
  return documented.filter(wanted).flatMap((route) => {
    const expected = expectations.find(({ method, path }) => method === route.method && path === route.path);
    const as = callers.find((caller) => expected && expected.by[caller] !== '-');
    return as ? [{ route, as }] : [];
  });
};

describe(`${tenants} tenants`, () => {
  let worlds: World[];
  let lists: Tried[];
  let singles: Tried[];

  beforeAll(async () => {
    lists = await routesOf(({ isList, params }) => isList && params.length === 0, ['requester', 'admin']);
    worlds = await pool(Array.from({ length: tenants }), 4, (_, index) => build(index));
    const [{ owned }] = worlds as [World];
    singles = await routesOf(
      ({ method, path, params }) => method === 'GET' && params.length > 0 && params.every((param) => kindOf(path, param) in owned),
      ['admin', 'requester'],
    );
  });

  const tokenOf = ({ tenant, requester }: World, as: Caller) => (as === 'admin' ? tenant.admin.token : requester.token);

  test('when each lists everything it can, then no list holds a row of another', async () => {
    const foreign: string[] = [];
    await pool(worlds, 4, async (world) => {
      const others = new Set(
        worlds
          .filter((other) => other !== world)
          .flatMap((other) => [...Object.values(other.owned), other.tenant.id, other.tenant.admin.id]),
      );
      for (const { route, as } of lists) {
        const path = route.path.slice('/api/v1'.length);
        const items = await listAll(path, tokenOf(world, as));
        const own = JSON.stringify(items);
        for (const id of own.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [])
          if (others.has(id)) foreign.push(`${path} shows ${id}`);
      }
    });
    expect(foreign).toEqual([]);
  });

  test('when each asks for what belongs to another, then it is not there', async () => {
    expect(singles.length).toBeGreaterThan(10);
    const found = await pool(worlds, 4, async (world, index) => {
      const other = worlds[(index + 1) % worlds.length] as World;
      const there: string[] = [];
      for (const { route, as } of singles) {
        const path = route.params.reduce(
          (text, param) => text.replace(`{${param}}`, String(other.owned[kindOf(route.path, param)])),
          route.path,
        );
        const { status } = await call('GET', `/${path}`, { token: tokenOf(world, as) });
        if (status !== 404) there.push(`${route.path} as ${as}: ${status}`);
      }
      return there;
    });
    expect([...new Set(found.flat())]).toEqual([]);
  });

  test('when another tenant is named by header, then a stranger is refused', async () => {
    const [first, second] = worlds as [World, World];
    const answer = await call('GET', '/me', { token: first.requester.token, headers: { 'x-tenant': second.tenant.slug } });
    expect(answer.status).toBe(403);
  });
});
