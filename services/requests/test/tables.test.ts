import { migrate, newId } from '@accessops/db';
import { createDatabase, migrationsOf } from '@accessops/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Suite, Tenant } from './suite.ts';

const tenantTables = ['access_request', 'resource', 'resource_type', 'team', 'outbox_event', 'idempotent_reply', 'dead_letter'];

describe('row-level security', () => {
  let suite: Suite;
  let tenants: Tenant[];
  let app: pg.Client;

  beforeAll(async () => {
    suite = await Suite.start();
    tenants = [new Tenant(suite), new Tenant(suite)];
    for (const tenant of tenants) {
      await tenant.team();
      await tenant.pending(await tenant.person(['requester']));
    }
    app = new pg.Client({ connectionString: suite.database.appUrl('requests') });
    await app.connect();
  });
  afterAll(async () => {
    await app.end();
    await suite.stop();
  });

  const count = async (table: string) => Number((await app.query(`select count(*) from ${table}`)).rows[0].count);
  const become = (tenantId: string) => app.query(`select set_config('app.tenant_id', $1, false)`, [tenantId]);

  test('when no tenant or an unknown one is named, then no row is seen without any WHERE', async () => {
    for (const tenantId of ['', newId()]) {
      await become(tenantId);
      for (const table of tenantTables) expect([table, await count(table)]).toEqual([table, 0]);
    }
  });

  test('when a tenant is named, then only its rows are seen without any WHERE', async () => {
    for (const { id } of tenants) {
      await become(id);
      for (const table of ['access_request', 'resource', 'resource_type', 'team', 'outbox_event']) {
        const { rows } = await app.query(`select distinct tenant_id from ${table}`);
        expect([table, rows]).toEqual([table, [{ tenant_id: id }]]);
      }
    }
  });

  test('when a row of another tenant is written, then the database refuses', async () => {
    await become(tenants[0]?.id ?? '');
    await expect(
      app.query('insert into team (id, tenant_id, version, removed) values ($1, $2, 1, false)', [newId(), tenants[1]?.id]),
    ).rejects.toThrow(/row-level security/);
    expect((await app.query(`update access_request set status = 'ACTIVE' where tenant_id = $1`, [tenants[1]?.id])).rowCount).toBe(0);
    expect((await app.query('delete from resource where tenant_id = $1', [tenants[1]?.id])).rowCount).toBe(0);
  });

  test('when a function is asked across tenants, then it answers as if there were nothing', async () => {
    const { rows } = await suite.admin.query('select id, resource_id from access_request where tenant_id = $1', [tenants[1]?.id]);
    const own = tenants[0]?.id;
    expect((await app.query('select * from read_request($1, $2)', [own, rows[0].id])).rows).toEqual([]);
    expect((await app.query('select * from read_offer($1, $2)', [own, rows[0].resource_id])).rows).toEqual([]);
    const filed = JSON.stringify({ tenant_id: own, resource_id: rows[0].resource_id });
    expect((await app.query('select file_request($1, 1, 1, $2)', [filed, '[]'])).rows).toEqual([{ file_request: 'STALE' }]);
  });

  test('when a table has a tenant, then row-level security is forced on it and an index begins with the tenant (the outbox is only read in order)', async () => {
    const { rows } = await suite.admin.query<{ name: string; forced: boolean; indexed: boolean }>(
      `select relname as name, relforcerowsecurity as forced,
         exists (select from pg_index where indrelid = pg_class.oid and indkey[0] = attnum) as indexed
       from pg_class join pg_attribute on attrelid = pg_class.oid
       where relnamespace = 'requests'::regnamespace and relkind = 'r' and attname = 'tenant_id'`,
    );
    expect(rows.map(({ name }) => name).sort()).toEqual([...tenantTables].sort());
    expect(rows.filter(({ name, forced, indexed }) => !forced || !(indexed || name === 'outbox_event'))).toEqual([]);
  });

  test('when the application logs in, then it owns nothing and cannot pass row-level security', async () => {
    const { rows } = await suite.admin.query(
      `select rolbypassrls, rolsuper, (select count(*) from pg_class where relowner = pg_roles.oid)::int as owned from pg_roles where rolname = 'requests'`,
    );
    expect(rows).toEqual([{ rolbypassrls: false, rolsuper: false, owned: 0 }]);
  });
});

test('when the migrations go down and up again, then everything is as before', async () => {
  const database = await createDatabase(['requests']);
  const admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  const objects = async () => {
    const { rows } = await admin.query(
      `select 'relation ' || relname as name from pg_class where relnamespace = 'requests'::regnamespace and relname !~ 'schema_migration'
       union all select 'column ' || table_name || '.' || column_name || ' ' || data_type from information_schema.columns
         where table_schema = 'requests' and table_name <> 'schema_migration'
       union all select 'function ' || proname from pg_proc where pronamespace = 'requests'::regnamespace
       union all select 'policy ' || tablename || '.' || policyname from pg_policies where schemaname = 'requests' order by 1`,
    );
    return rows.map(({ name }) => String(name));
  };
  const run = (direction: 'up' | 'down') =>
    migrate({ url: database.ownerUrl('requests'), service: 'requests', directory: migrationsOf('requests'), direction });
  const before = await objects();
  expect(before).toContain('relation access_request_open');
  expect(await run('up')).toEqual([]);
  await run('down');
  expect(await objects()).toEqual([]);
  await run('up');
  expect(await objects()).toEqual(before);
  await admin.end();
  await database.drop();
});
