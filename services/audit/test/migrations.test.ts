import { migrate } from '@accessops/db';
import { createDatabase, migrationsOf } from '@accessops/testing';
import pg from 'pg';
import { expect, test } from 'vitest';

const objects = `select 'relation' as kind, relname as name from pg_class where relnamespace = 'audit'::regnamespace
  union all select 'function', proname from pg_proc where pronamespace = 'audit'::regnamespace
  union all select 'policy', tablename || '.' || policyname from pg_policies where schemaname = 'audit'
  union all select 'trigger', tgrelid::regclass || '.' || tgname from pg_trigger where not tgisinternal order by 1, 2`;

test('when the migrations go up, down and up again, then nothing stays behind and all is there again', async () => {
  const database = await createDatabase(['audit']);
  const admin = new pg.Client({ connectionString: database.adminUrl });
  await admin.connect();
  const all = async () => (await admin.query(objects)).rows.map(({ kind, name }) => `${kind} ${name}`);
  const run = (direction: 'up' | 'down') =>
    migrate({ url: database.ownerUrl('audit'), service: 'audit', directory: migrationsOf('audit'), direction });

  const before = await all();
  expect(before).toContain('relation audit_event');
  await admin.query(`select audit.ensure_audit_partition('${new Date().toISOString().slice(0, 10)}')`);
  expect(await run('up')).toEqual([]);
  expect(await run('down')).not.toEqual([]);
  expect((await all()).filter((name) => !name.includes('schema_migration'))).toEqual([]);
  expect(await run('up')).not.toEqual([]);
  expect(await all()).toEqual(before);
  await admin.end();
  await database.drop();
});
