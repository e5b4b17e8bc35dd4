import { migrate } from '@accessops/db';
import { createDatabase, migrationsOf } from '@accessops/testing';
import pg from 'pg';
import { expect, test } from 'vitest';
import { Custodians } from '../migrations/20261123110000_custodians.ts';
import { newTenant, startHarness } from './harness.ts';

test('when migrations run up, down and up again, then all is there, gone, and there again', async () => {
  const database = await createDatabase(['identity']);
  const pool = new pg.Pool({ connectionString: database.adminUrl });
  const objects = async () => {
    const { rows } = await pool.query(
      `select c.relkind::text || ' ' || c.relname::text as name from pg_class c where c.relnamespace = 'identity'::regnamespace and c.relkind in ('r', 'i', 'S')
       union all select 'f ' || p.proname::text from pg_proc p where p.pronamespace = 'identity'::regnamespace
       union all select 'p ' || tablename::text || ' ' || policyname::text || ' ' || qual from pg_policies where schemaname = 'identity' order by 1`,
    );
    return rows.map(({ name }) => name as string);
  };
  const run = (direction: 'up' | 'down') =>
    migrate({ url: database.ownerUrl('identity'), service: 'identity', directory: migrationsOf('identity'), direction });
  const before = await objects();
  expect(before).toContain('r app_user');
  expect(await run('up')).toEqual([]);
  await run('down');
  expect((await objects()).filter((name) => !name.includes('schema_migration'))).toEqual([]);
  await run('up');
  expect(await objects()).toEqual(before);
  await pool.end();
  await database.drop();
});

test('when service accounts were made before it was known by whom, then an admin of their tenant answers for them', async () => {
  const harness = await startHarness();
  const tenant = await newTenant(harness);
  await tenant.add('nobody-special', ['requester']);
  const account = await harness.client.createServiceAccount(
    { name: 'ci', description: '', scopes: ['catalog:read'] },
    await tenant.asAdmin(),
  );
  const { id: keyId } = await harness.client.createApiKey({ serviceAccountId: account.id }, await tenant.asAdmin());
  const owner = new pg.Client({ connectionString: harness.database.ownerUrl('identity'), options: '-c search_path=identity' });
  await owner.connect();
  for (const step of ['down', 'up'] as const) {
    const migration = new Custodians(undefined as never, undefined as never);
    migration[step]();
    await owner.query('begin');
    for (const sql of migration.getQueries()) await owner.query(String(sql));
    await owner.query('commit');
  }
  await owner.end();
  const { rows } = await harness.admin.query(
    'select s.owner_id, s.created_by, k.holder_ids from service_account s join api_key k on k.service_account_id = s.id where k.id = $1',
    [keyId],
  );
  expect(rows).toEqual([{ owner_id: tenant.admin.id, created_by: tenant.admin.id, holder_ids: [tenant.admin.id] }]);
  await harness.close();
});
