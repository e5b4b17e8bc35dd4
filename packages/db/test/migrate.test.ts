import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { infrastructure } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createServiceSchema, migrate } from '../src/index.ts';
import { migrations, openClient, type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const objects = async () => {
  const { rows } = await suite.admin.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = $1::text::regnamespace and relname not like 'schema_migration%'
     union all select tablename || '.' || policyname from pg_policies where schemaname = $1::text order by 1`,
    [suite.service],
  );
  return rows.map(({ name }) => name);
};
const run = (direction: 'up' | 'down', directory = migrations) =>
  migrate({ url: suite.ownerUrl, service: suite.service, directory, direction });

test('when migrations go up, down and up again, then each is run when it is missing, and nothing stays behind', async () => {
  const before = await objects();
  expect(before).toEqual(expect.arrayContaining(['item', 'item.tenant_isolation', 'outbox_event', 'outbox_event.tenant_isolation']));
  expect(await run('up')).toEqual([]);
  expect(await run('down')).toEqual(['20260101000000_items']);
  expect(await objects()).toEqual([]);
  expect(await run('down')).toEqual([]);
  expect(await run('up')).toEqual(['20260101000000_items']);
  expect(await objects()).toEqual(before);
});

test('when one of several migrations fails, then none of them has any effect', async () => {
  const before = await objects();
  // Below this folder, so that what it imports is found.
  const directory = await mkdtemp(join(migrations, '..', 'failing-'));
  const migration = (name: string, sql: string) =>
    `import { Migration } from '@mikro-orm/migrations';\nexport class ${name} extends Migration { up() { this.addSql('${sql}'); } down() {} }\n`;
  await writeFile(join(directory, '20270101000000_good.ts'), migration('Good', 'create table good (id int)'));
  await writeFile(join(directory, '20270102000000_bad.ts'), migration('Bad', 'create table bad (id nonsense)'));
  await expect(run('up', directory)).rejects.toThrow('nonsense');
  expect(await objects()).toEqual(before);
  await rm(directory, { recursive: true });
});

test('when a migration asks for no transaction, then it makes an index while others write', async () => {
  const directory = await mkdtemp(join(migrations, '..', 'concurrent-'));
  await writeFile(
    join(directory, '20270101000000_index.ts'),
    `import { Migration } from '@mikro-orm/migrations';
     export class Index extends Migration {
       isTransactional() { return false; }
       up() { this.addSql('create index concurrently item_made on item (id)'); }
       down() { this.addSql('drop index concurrently item_made'); }
     }\n`,
  );
  expect(await run('up', directory)).toEqual(['20270101000000_index']);
  expect(await objects()).toContain('item_made');
  await suite.admin.query(`drop index ${suite.service}.item_made`);
  await suite.admin.query(`delete from ${suite.service}.schema_migration where name = '20270101000000_index'`);
  await rm(directory, { recursive: true });
});

test('when the application runs migrations, then it is refused', async () => {
  const asApp = migrate({ url: suite.appUrl, service: suite.service, directory: migrations, direction: 'down' });
  await expect(asApp).rejects.toThrow(/must be owner|permission denied/);
});

test('when a schema is set up again, also by several at once, then it stays and the new passwords hold', async () => {
  const before = await objects();
  const again = { service: suite.service, ownerPassword: 'owner', appPassword: `it's "new"` };
  await Promise.all(Array.from({ length: 4 }, () => createServiceSchema(suite.adminUrl, again)));
  expect(await objects()).toEqual(before);
  const url = Object.assign(new URL(suite.appUrl), { password: encodeURIComponent(again.appPassword) }).href;
  const client = await openClient(url);
  expect((await client.query('select * from item')).rows).toEqual([]);
  await client.end();
  await expect(openClient(suite.appUrl)).rejects.toMatchObject({ code: '28P01' });
});

test('when somebody who may log in to the server has no service in a database, then it is closed to them', async () => {
  const { admin, service } = suite;
  await admin.query(`create role stranger_${service} login password 'x'`);
  const url = Object.assign(new URL(suite.adminUrl), { username: `stranger_${service}`, password: 'x' }).href;
  await expect(openClient(url)).rejects.toMatchObject({ code: '42501' });
  await admin.query(`drop role stranger_${service}`);
  expect(infrastructure().adminUrl).not.toBe(suite.adminUrl);
});
