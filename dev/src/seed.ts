import { ApiClient } from './api-client.ts';
import { demoPassword, demoPeople, demoTenants, emailOf, platformUsers } from './demo.ts';
import { demoCatalog } from './demo-catalog.ts';

type Ids = Map<string, string>;

const idsBy = (items: Record<string, unknown>[], field: string): Ids =>
  new Map(items.map((item) => [String(item[field]), String(item.id)]));

/** Makes those of `wanted` that a list does not hold yet; answers the ids of all by the field that tells them apart. */
const ensure = async (api: ApiClient, path: string, field: string, wanted: Record<string, unknown>[]): Promise<Ids> => {
  const ids = idsBy(await api.list(path), field);
  for (const item of wanted) {
    const key = String(item[field]);
    if (!ids.has(key)) ids.set(key, String((await api.must([201], 'POST', path, item)).id));
  }
  return ids;
};

const idOf = (ids: Ids, key: string): string => {
  const id = ids.get(key);
  if (!id) throw new Error(`the demo data has no ${key}`);
  return id;
};

const seedPeople = async (api: ApiClient, tenant: string): Promise<Ids> => {
  const people = demoPeople.map(({ name, ...person }) => ({ ...person, email: emailOf(name, tenant), password: demoPassword }));
  return ensure(api, '/org/users', 'email', people);
};

const seedTeams = async (api: ApiClient, tenant: string, people: Ids): Promise<Ids> => {
  const teams = await ensure(api, '/org/teams', 'name', [
    { name: 'Data owners', description: 'Answer for what holds personal data' },
    { name: 'Developers', description: 'Build and run the product' },
  ]);
  const members = [
    ['Data owners', 'approver1', 'lead'],
    ['Developers', 'manager', 'lead'],
    ['Developers', 'requester', 'member'],
  ] as const;
  for (const [team, name, role] of members) {
    const userId = idOf(people, emailOf(name, tenant));
    // 409: is a member already.
    await api.must([200, 201, 204, 409], 'POST', `/org/teams/${idOf(teams, team)}/members`, { userId, role });
  }
  return teams;
};

const seedCatalog = async (api: ApiClient, tenant: string, teams: Ids): Promise<void> => {
  const catalog = demoCatalog(tenant);
  const types = await ensure(
    api,
    '/org/resource-types',
    'key',
    catalog.map(({ type }) => type),
  );
  const resources = catalog.map(({ key, name, owned, type }) => ({
    key,
    name,
    resourceTypeId: idOf(types, type.key),
    ...(owned && { owningTeamId: idOf(teams, 'Data owners') }),
  }));
  await ensure(api, '/org/resources', 'key', resources);
};

/** The demo tenants have room for everything; a license that somebody has changed stays. */
const seedLicenses = async (anonymous: ApiClient): Promise<void> => {
  const [root] = platformUsers;
  const session = await anonymous.must([200], 'POST', '/auth/login', { email: root?.email, password: root?.password, audience: 'admin' });
  const api = anonymous.as(String(session.accessToken));
  const slugs = demoTenants.map(({ slug }) => slug).join(',');
  for (const { id } of await api.list(`/admin/tenants?filter[slug][in]=${slugs}`)) {
    const path = `/admin/tenants/${String(id)}/license`;
    const { version } = await api.must([200], 'GET', path);
    if (version === 1) await api.must([200], 'PATCH', path, { tier: 'enterprise' });
  }
};

const seedTenant = async (anonymous: ApiClient, { slug, name }: { slug: string; name: string }): Promise<void> => {
  const email = emailOf('admin', slug);
  // 409: an earlier seeding got this far.
  await anonymous.must([201, 409], 'POST', '/auth/register', {
    email,
    password: demoPassword,
    firstName: 'Ada',
    lastName: 'Admin',
    organization: { name, slug },
  });
  const session = await anonymous.must([200], 'POST', '/auth/login', {
    email,
    password: demoPassword,
    audience: 'org-admin',
    tenant: slug,
  });
  const api = anonymous.as(String(session.accessToken));
  const people = await seedPeople(api, slug);
  await seedCatalog(api, slug, await seedTeams(api, slug, people));
};

/** Makes the demo tenants through the public API of a platform; what is there already stays as it is. */
export const seed = async (url: string, signal?: AbortSignal): Promise<void> => {
  const anonymous = new ApiClient(url, signal);
  await Promise.all(demoTenants.map((tenant) => seedTenant(anonymous, tenant)));
  await seedLicenses(anonymous);
};
