import { randomUUID } from 'node:crypto';
import { filed, type Item, must, type Person, pool, reaches, rememberSecret, Tenant } from '../client.ts';

/** The roles that somebody has in a tenant; `machine` is a service account with every scope there is. */
export const tenantRoles = ['member', 'lead', 'requester', 'approver', 'manager', 'auditor', 'admin', 'machine'] as const;

export type TenantRole = (typeof tenantRoles)[number];

/** What a path can name. */
export type Kind = keyof typeof namedBy | 'teammate' | 'key';

/**
 * Which paths name what, by how they begin or end: the first that fits. A request can be one that waits (`pending`), that waits for
 * the vote of whoever calls (`waiting`), or under which there is access (`active`); a resource one that somebody was given access to (`given`).
 */
const namedBy = {
  waiting: /\/(approve|reject)$/,
  active: /\/(withdraw|extend)$/,
  pending: /^\/api\/v1\/(requests|approvals)\//,
  grant: /\/grants\//,
  // An access is named by the job that made it.
  job: /\/jobs\/|^\/webhooks\/access\//,
  report: /\/reports\//,
  team: /\/teams\//,
  user: /^\/api\/v1\/org\/(users|memberships)\//,
  invitation: /\/invitations\//,
  role: /\/roles\//,
  account: /\/service-accounts\//,
  type: /\/resource-types\//,
  given: /\/resources\/[^/]+\/(reconcile|drift)$/,
  resource: /\/resources\//,
  flag: /\/feature-flags\//,
  tenant: /^\/api\/v1\/admin\/tenants\//,
  letter: /\/dead-letters\//,
  setting: /\/settings\//,
} as const;

/** Parameters that name something inside of what the path names. */
const inner: Record<string, Kind> = { keyId: 'key' };

/** What a parameter of a path names; throws for one that nobody has said it of. */
export const kindOf = (path: string, param: string): Kind => {
  if (param === 'userId' && path.includes('/teams/')) return 'teammate';
  const found = inner[param] ?? Object.entries(namedBy).find(([, pattern]) => pattern.test(path))?.[0];
  if (!found) throw new Error(`${path}: say in estate.ts what {${param}} names, and make one`);
  return found as Kind;
};

/** Things of a tenant by their kind. */
export type Things = Partial<Record<Kind, string>>;

/** A tenant with all that a path can name. */
export interface Estate {
  tenant: Tenant;
  /** Of people who have no part in anything. */
  things: Things;
  /** Somebody of each role. */
  people: Record<TenantRole, { token: string; own: Things }>;
}

const id = async (answer: Promise<Item | Record<string, unknown>>): Promise<string> => String((await answer).id);

/** What a tenant has besides requests and what comes of them. */
const belongings = async (tenant: Tenant): Promise<Things> => {
  const { token } = tenant.admin;
  const post = (path: string, body: unknown) => must(201, 'POST', `/org${path}`, { token, body });
  const account = await id(post('/service-accounts', { name: `idle ${randomUUID()}`, scopes: [] }));
  const key = await post(`/service-accounts/${account}/keys`, {});
  rememberSecret(String(key.key));
  const type = await tenant.type();
  const teammate = await tenant.person(`teammate-${randomUUID()}`, []);
  return {
    team: (await tenant.team([teammate])).id,
    teammate: teammate.id,
    user: (await tenant.person(`user-${randomUUID()}`, [])).id,
    invitation: await id(post('/invitations', { email: `guest-${randomUUID()}@x.test`, orgRoles: ['requester'] })),
    role: await id(post('/roles', { name: `role ${randomUUID()}`, permissions: [] })),
    report: await id(post('/reports', { kind: 'jobs', format: 'csv' })),
    account,
    key: String(key.id),
    type: type.id,
    resource: (await tenant.resource(type.id)).id,
    flag: await id(post('/feature-flags', { name: `flag-${randomUUID()}`, enabled: true })),
  };
};

interface Offer {
  /** Access at once. */
  open: string;
  /** Waits for an approver or admin. */
  guarded: string;
}

/** Files a request that waits and one that is granted at once. */
const file = async (tenant: Tenant, person: Person, { open, guarded }: Offer): Promise<Things> => {
  const [active, pending] = await Promise.all([filed(person, open, { duration: 'PT1H' }), filed(person, guarded)]);
  const { jobId, grantId } = await reaches(tenant.admin, active.id, 'ACTIVE');
  return { active: active.id, pending: pending.id, job: String(jobId), grant: String(grantId) };
};

/** A tenant with things of all kinds, which are strangers' to everybody else. */
const settle = async (tag: string) => {
  const tenant = await Tenant.create(tag);
  const stranger = await tenant.person('stranger', ['requester']);
  const [open, guarded, personal] = await Promise.all([
    tenant.type({ sensitivity: 'low' }),
    tenant.type({ sensitivity: 'medium' }),
    tenant.type({ sensitivity: 'low', pii: true }),
  ]);
  const others = await tenant.team([stranger]);
  const offer = { open: (await tenant.resource(open.id)).id, guarded: (await tenant.resource(guarded.id)).id };
  // Names a team that nobody else is in, and the admins.
  const withheld = (await tenant.resource(personal.id, { owningTeamId: others.id })).id;
  const [own, requests] = await Promise.all([belongings(tenant), file(tenant, stranger, { open: offer.open, guarded: withheld })]);
  const things = { ...own, ...requests, given: offer.open, waiting: requests.pending, tenant: tenant.id };
  return { tenant, stranger, offer, personal, things };
};

/** A tenant to reach for from outside. */
export const foreignEstate = async (): Promise<Pick<Estate, 'tenant' | 'things'>> => await settle('abroad');

/** A tenant with somebody of each role, each with something of their own. */
export const ownEstate = async (): Promise<Estate> => {
  const { tenant, stranger, offer, personal, things } = await settle('home');
  const { token } = tenant.admin;
  const { items: permissions = [] } = await must(200, 'GET', '/org/permissions', { token });
  const team = await tenant.team();

  const machine = async (): Promise<Person> => {
    const scopes = permissions.filter(({ serviceAccounts }) => serviceAccounts).map(({ resource, action }) => ({ resource, action }));
    const account = await id(must(201, 'POST', '/org/service-accounts', { token, body: { name: 'machine', scopes } }));
    const { key } = await must(201, 'POST', `/org/service-accounts/${account}/keys`, { token, body: {} });
    rememberSecret(String(key));
    return { id: account, email: '', password: '', token: String(key), refreshToken: '' };
  };
  const join = (person: Person, role: TenantRole) =>
    must(200, 'POST', `/org/teams/${team.id}/members`, {
      token,
      body: { userId: person.id, role: role === 'lead' ? 'lead' : 'member' },
    });
  /** Requests that wait for a vote of the team. */
  const waitingFor = async () => {
    const resource = await tenant.resource(personal.id, { owningTeamId: team.id });
    return (await filed(stranger, resource.id)).id;
  };

  const settleIn = async (role: TenantRole): Promise<Estate['people'][TenantRole]> => {
    if (role === 'machine') {
      const account = await machine();
      return { token: account.token, own: await file(tenant, account, offer) };
    }
    // Everybody files while they may; what they have filed stays theirs when their role is another.
    const person = role === 'admin' ? tenant.admin : await tenant.person(role, ['requester']);
    const own = await file(tenant, person, offer);
    if (role === 'admin') return { token, own: { ...own, waiting: await waitingFor() } };
    const orgRoles = role === 'member' || role === 'lead' ? [] : [role];
    await must(200, 'PATCH', `/org/memberships/${person.id}`, { token, body: { orgRoles } });
    const audience = role === 'manager' || role === 'auditor' ? 'org-admin' : 'app';
    const again = await tenant.signIn(person, audience);
    if (role === 'member') return { token: again.token, own };
    await join(person, role);
    return { token: again.token, own: { ...own, team: team.id, waiting: await waitingFor() } };
  };
  const settled = await pool([...tenantRoles], 4, async (role) => [role, await settleIn(role)] as const);
  return { tenant, things, people: Object.fromEntries(settled) as Estate['people'] };
};
