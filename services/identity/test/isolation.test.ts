import { newId, noTenant } from '@accessops/db';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { as, codeOf, type Harness, startHarness } from './harness.ts';

interface Rows {
  tenantId: string;
  slug: string;
  admin: { id: string; email: string };
  userId: string;
  teamId: string;
}

const tenantTables = [
  'tenant',
  'app_user',
  'team',
  'team_member',
  'invitation',
  'session',
  'refresh_token',
  'outbox_event',
  'dead_letter',
  'idempotent_reply',
  'setting',
  'feature_flag',
  'license',
  'stripe_subscription',
  'stripe_event',
  'role',
  'role_assignment',
  'service_account',
  'api_key',
];

let harness: Harness;
let app: pg.Client;
const tenants: Rows[] = Array.from({ length: 100 }, (_, index) => {
  const slug = `tenant-${index}`;
  return { tenantId: newId(), slug, admin: { id: newId(), email: `admin@${slug}.test` }, userId: newId(), teamId: newId() };
});

/** All rows of a tenant, by the superuser: the calls that make them are tested elsewhere. */
const fill = async ({ tenantId, slug, admin, userId, teamId }: Rows) => {
  const run = (sql: string, values: unknown[]) => harness.admin.query(sql, values);
  const person = `(id, email, password_hash, first_name, last_name, version, created_at, updated_at) values ($1, $2, 'x', 'A', 'B', 1, now(), now())`;
  await run(`insert into account ${person}`, [admin.id, admin.email]);
  await run(`insert into account ${person}`, [userId, `user@${slug}.test`]);
  await run(
    `insert into tenant (id, slug, name, domain, status, version, created_at, updated_at) values ($1, $2, 'Same name', '', 'ACTIVE', 1, now(), now())`,
    [tenantId, slug],
  );
  const user = `insert into app_user (tenant_id, id, email, first_name, last_name, org_roles, version, created_at, updated_at) values ($1, $2, $3, 'A', 'B', $4, 1, now(), now())`;
  await run(user, [tenantId, admin.id, admin.email, ['admin']]);
  await run(user, [tenantId, userId, `user@${slug}.test`, ['requester']]);
  await run(
    `insert into team (id, tenant_id, name, description, version, created_at, updated_at) values ($1, $2, 'Same team', '', 1, now(), now())`,
    [teamId, tenantId],
  );
  await run(`insert into team_member (id, tenant_id, team_id, user_id, role, created_at) values ($1, $2, $3, $4, 'member', now())`, [
    newId(),
    tenantId,
    teamId,
    userId,
  ]);
  await run(
    `insert into invitation (id, tenant_id, email, org_roles, status, token_hash, invited_by, version, created_at, expires_at)
     values ($1, $2, 'guest@people.test', '{requester}', 'PENDING', '', $3, 1, now(), now() + interval '1 day')`,
    [newId(), tenantId, admin.id],
  );
  await run(`insert into setting (tenant_id, key, value, version, updated_at) values ($1, 'same', '1', 2, now())`, [tenantId]);
  await run(
    `insert into feature_flag (id, tenant_id, name, description, enabled, version, created_at, updated_at) values ($1, $2, 'same', '', true, 1, now(), now())`,
    [newId(), tenantId],
  );
  await run(`insert into license (tenant_id, tier, flags, version, updated_at) values ($1, 'free', '{}', 1, now())`, [tenantId]);
  await run(
    `insert into stripe_subscription (id, tenant_id, customer_id, status, tier, flags, event_id, event_at) values ($1, $2, 'cus', 'active', 'free', '{}', 'evt', now())`,
    [`sub_${slug}`, tenantId],
  );
  await run('insert into stripe_event (id, tenant_id, received_at) values ($1, $2, now())', [`evt_${slug}`, tenantId]);
  const [role, account] = [newId(), newId()];
  const named = '(id, tenant_id, name, description, version, created_at, updated_at';
  await run(`insert into role ${named}, system, permissions) values ($1, $2, 'own', '', 1, now(), now(), false, '{}')`, [role, tenantId]);
  await run('insert into role_assignment (tenant_id, user_id, role_id) values ($1, $2, $3)', [tenantId, userId, role]);
  await run(`insert into service_account ${named}, scopes) values ($1, $2, 'ci', '', 1, now(), now(), '{}')`, [account, tenantId]);
  await run(
    `insert into api_key (id, tenant_id, service_account_id, hash, created_at, expires_at)
     values ($1, $2, $3, sha256($4), now(), now() + interval '1 day')`,
    [newId(), tenantId, account, Buffer.from(account)],
  );
  const session = newId();
  await run(
    `insert into session (id, tenant_id, account_id, audience, created_at, expires_at) values ($1, $2, $3, 'app', now(), now() + interval '1 day')`,
    [session, tenantId, userId],
  );
  await run(`insert into refresh_token (hash, tenant_id, session_id, expires_at) values ($1, $2, $3, now())`, [
    Buffer.from(session),
    tenantId,
    session,
  ]);
  await run(
    `insert into outbox_event (event_id, tenant_id, type, aggregate_id, payload, headers, created_at) values ($1, $2, 'X', 'x', '', '{}', now())`,
    [newId(), tenantId],
  );
  await run(
    `insert into dead_letter (id, event_id, tenant_id, event_type, subject, headers, payload, error, attempts, status, parked_at) values ($1, $1, $2, 'X', 'x', '{}', '', '', 1, 'PARKED', now())`,
    [newId(), tenantId],
  );
  await run(
    `insert into idempotent_reply (tenant_id, actor_id, key, fingerprint, reply, created_at) values ($1, 'a', 'k', 'f', '', now())`,
    [tenantId],
  );
};

beforeAll(async () => {
  harness = await startHarness();
  await Promise.all(tenants.map(fill));
  app = new pg.Client({ connectionString: harness.database.appUrl('identity') });
  await app.connect();
});
afterAll(async () => {
  await app.end();
  await harness.close();
});

const asAdminOf = ({ tenantId, slug, admin }: Rows, teamIds: string[] = []) =>
  as({
    ...admin,
    tenantId,
    tenantSlug: slug,
    orgRoles: ['admin'],
    audience: 'org-admin',
    teams: teamIds.map((id) => ({ id, role: 'member' as const })),
  });

/** Ten tenants at a time. */
const forEachTenant = async (check: (tenant: Rows, index: number) => Promise<void>) => {
  for (let from = 0; from < tenants.length; from += 10) {
    await Promise.all(tenants.slice(from, from + 10).map((tenant, offset) => check(tenant, from + offset)));
  }
};

test('of 100 tenants, when each lists everything, then only its own rows come', async () => {
  const { client } = harness;
  await forEachTenant(async (tenant) => {
    const options = await asAdminOf(tenant);
    const query = { limit: 200 };
    const ids = async (list: Promise<{ items: { id: string }[] }>) => (await list).items.map(({ id }) => id).sort();
    const people = [tenant.admin.id, tenant.userId].sort();
    expect(await ids(client.listUsers({ query }, options))).toEqual(people);
    expect((await client.listMemberships({ query }, options)).items.map(({ userId }) => userId).sort()).toEqual(people);
    expect(await ids(client.listTeams({ query }, options))).toEqual([tenant.teamId]);
    expect((await client.listTeamMembers({ teamId: tenant.teamId, query }, options)).items.map(({ userId }) => userId)).toEqual([
      tenant.userId,
    ]);
    expect((await client.getTenant({}, options)).id).toBe(tenant.tenantId);
    expect((await client.getMe({}, options)).tenant?.id).toBe(tenant.tenantId);
  });
});

test('of 100 tenants, when each asks for what the next one owns, then it is not there', async () => {
  const { client } = harness;
  await forEachTenant(async (tenant, index) => {
    const foreign = tenants[(index + 1) % tenants.length] as Rows;
    const options = await asAdminOf(tenant, [foreign.teamId]);
    expect(await codeOf(client.getUser({ id: foreign.userId }, options))).toBe('USER_NOT_FOUND');
    expect(await codeOf(client.updateUser({ id: foreign.userId, active: false }, options))).toBe('USER_NOT_FOUND');
    expect(await codeOf(client.updateMembership({ userId: foreign.userId, orgRoles: [] }, options))).toBe('USER_NOT_FOUND');
    expect(await codeOf(client.getTeam({ id: foreign.teamId }, options))).toBe('TEAM_NOT_FOUND');
    expect(await codeOf(client.deleteTeam({ id: foreign.teamId }, options))).toBe('TEAM_NOT_FOUND');
    expect(await codeOf(client.listTeamMembers({ teamId: foreign.teamId }, options))).toBe('TEAM_NOT_FOUND');
    expect(await codeOf(client.addTeamMember({ teamId: tenant.teamId, userId: foreign.userId, role: 'lead' }, options))).toBe(
      'USER_NOT_FOUND',
    );
  });
});

test('of 100 tenants, when the application login asks without any WHERE, then it sees one tenant', async () => {
  for (const { tenantId } of tenants) {
    await app.query('begin');
    await app.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
    for (const table of tenantTables) {
      const { rows } = await app.query(`select distinct tenant_id, '${table}' as seen from ${table}`);
      expect(rows).toEqual([{ tenant_id: tenantId, seen: table }]);
    }
    await app.query('commit');
  }
});

test('when the application login names no tenant, then it sees and changes nothing', async () => {
  for (const table of tenantTables) {
    const [seen, deleted] = [await app.query(`select 1 from ${table}`), await app.query(`delete from ${table}`)];
    expect({ table, seen: seen.rowCount, deleted: deleted.rowCount }).toEqual({ table, seen: 0, deleted: 0 });
  }
});

test('when the application login writes for another tenant, then the database refuses', async () => {
  const [one, two] = tenants as [Rows, Rows];
  await app.query('begin');
  await app.query(`select set_config('app.tenant_id', $1, true)`, [one.tenantId]);
  const insert = app.query(
    `insert into team (id, tenant_id, name, description, version, created_at, updated_at) values ($1, $2, 'X', '', 1, now(), now())`,
    [newId(), two.tenantId],
  );
  await expect(insert).rejects.toThrow(/row-level security/);
  await app.query('rollback');
  await app.query('begin');
  await app.query(`select set_config('app.tenant_id', $1, true)`, [one.tenantId]);
  await expect(app.query('update app_user set tenant_id = $1', [two.tenantId])).rejects.toThrow(/row-level security|foreign key/);
  await app.query('rollback');
});

test('when principals were resolved on a connection, then it sees no more than before', async () => {
  const first = await app.query('select * from resolve_principal($1, $1, $2, $3, now())', [newId(), [], '']);
  expect(first.rowCount).toBe(0);
  expect((await app.query('select 1 from app_user')).rowCount).toBe(0);
});

test('when the tables are looked at, then each with tenant data is forced under row-level security and its index starts with the tenant', async () => {
  const { rows } = await harness.admin.query(
    `select c.relname, c.relrowsecurity and c.relforcerowsecurity as forced,
            exists (select from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
                     where i.indrelid = c.oid and a.attname = 'tenant_id') as indexed
       from pg_class c join pg_attribute t on t.attrelid = c.oid and t.attname = 'tenant_id'
      where c.relnamespace = 'identity'::regnamespace and c.relkind = 'r' order by 1`,
  );
  expect(rows.map(({ relname }) => relname)).toEqual([...tenantTables].sort());
  // The outbox is read in order, never by tenant.
  for (const row of rows) expect(row).toMatchObject({ forced: true, indexed: row.relname !== 'outbox_event' });
  const login = await harness.admin.query(`select rolsuper, rolbypassrls from pg_roles where rolname = 'identity'`);
  expect(login.rows).toEqual([{ rolsuper: false, rolbypassrls: false }]);
  const owned = await harness.admin.query(`select 1 from pg_class where relowner = 'identity'::regrole`);
  expect(owned.rowCount).toBe(0);
});

test('when platform staff have no tenant, then tenant calls are denied to them', async () => {
  const options = await as({ id: newId(), audience: 'admin', realmRoles: ['platform-admin'], tenantId: null });
  expect(await codeOf(harness.client.listUsers({}, options))).toBe('PERMISSION_DENIED');
  expect(
    await codeOf(harness.client.listUsers({}, await as({ id: newId(), tenantId: noTenant, orgRoles: ['admin'], audience: 'org-admin' }))),
  ).toBe('ok');
  expect(
    (await harness.client.listUsers({}, await as({ id: newId(), tenantId: noTenant, orgRoles: ['admin'], audience: 'org-admin' }))).items,
  ).toEqual([]);
});
