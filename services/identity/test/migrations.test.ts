import { migrate } from '@accessops/db';
import { createDatabase, migrationsOf } from '@accessops/testing';
import pg from 'pg';
import { expect, test } from 'vitest';

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
