import { migrate, newId } from '@accessops/db';
import { createDatabase, migrationsOf, type TestDatabase } from '@accessops/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite;
let fresh: TestDatabase;
beforeAll(async () => {
  [suite, fresh] = await Promise.all([startSuite(), createDatabase(['provisioner'])]);
});
afterAll(() => Promise.all([suite.close(), fresh.drop()]));

const tenantTables = [
  'job',
  'access_grant',
  'credential',
  'job_answer',
  'holder',
  'plan',
  'saved_plan',
  'reconciled_resource',
  'reconciliation',
  'simulated_target',
  'tenant',
  'report',
  'outbox_event',
];

test('when the application login names no tenant or another one, then it sees no row', async () => {
  const requestId = await suite.approve();
  await suite.grantIs(requestId, ['ACTIVE']);
  await suite.tellUser(suite.requester, true, 2);
  const app = new pg.Client({ connectionString: suite.database.appUrl('provisioner') });
  await app.connect();
  const count = async (table: string) => Number((await app.query(`select count(*) from ${table}`)).rows[0].count);
  try {
    for (const setting of ['', newId()]) {
      await app.query(`select set_config('app.tenant_id', $1, false)`, [setting]);
      for (const table of tenantTables) expect([table, await count(table)]).toEqual([table, 0]);
      await expect(
        app.query(`insert into holder (tenant_id, user_id, active, version) values ($1, $1, true, 1)`, [newId()]),
      ).rejects.toThrow(/row-level security/);
    }
    await app.query(`select set_config('app.tenant_id', $1, false)`, [suite.tenantId]);
    expect(await count('job')).toBe(1);
  } finally {
    await app.end();
  }
});

test('when tables have a tenant, then row-level security is forced on every one of them', async () => {
  const { rows } = await suite.sql.query<{ relname: string; relforcerowsecurity: boolean }>(
    `select relname, relforcerowsecurity from pg_class join pg_attribute on attrelid = pg_class.oid
     where relnamespace = 'provisioner'::regnamespace and relkind = 'r' and attname = 'tenant_id'`,
  );
  expect(rows.map(({ relname }) => relname)).toEqual(expect.arrayContaining(tenantTables));
  expect(rows.filter(({ relforcerowsecurity }) => !relforcerowsecurity)).toEqual([]);
});

test('when the schema is taken down and put up again, then it is the same', async () => {
  const columns = async () => {
    const client = new pg.Client({ connectionString: fresh.adminUrl });
    await client.connect();
    const { rows } = await client.query(
      `select table_name, column_name, data_type from information_schema.columns
       where table_schema = 'provisioner' and table_name <> 'schema_migration' order by 1, 2`,
    );
    await client.end();
    return rows;
  };
  const options = { url: fresh.ownerUrl('provisioner'), service: 'provisioner', directory: migrationsOf('provisioner') };
  const before = await columns();
  await migrate({ ...options, direction: 'down' });
  expect(await columns()).toEqual([]);
  await migrate({ ...options, direction: 'up' });
  expect(await columns()).toEqual(before);
});
