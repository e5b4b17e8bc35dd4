import { withAdmin } from '@accessops/dev';
import { expect, test } from 'vitest';
import { createDatabase, infrastructure, until } from '../src/index.ts';

test('when two suites make a database at once, then each has one of its own', async () => {
  const [one, other] = await Promise.all([createDatabase(['audit']), createDatabase(['audit'])]);
  expect(one.name).not.toBe(other.name);
  await withAdmin(one.ownerUrl('audit'), (client) => client.query('create table only_here (id int)'));
  await expect(withAdmin(other.ownerUrl('audit'), (client) => client.query('select * from only_here'))).rejects.toThrow(/does not exist/);
  await Promise.all([one.drop(), other.drop()]);
});

test('when a database is dropped, then its sessions end and it is gone', async () => {
  const database = await createDatabase([]);
  await withAdmin(database.adminUrl, async (client) => {
    await client.query('select 1');
    await database.drop();
  }).catch(() => undefined);
  const found = await withAdmin(infrastructure().adminUrl, (client) =>
    client.query('select 1 from pg_database where datname = $1', [database.name]),
  );
  expect(found.rowCount).toBe(0);
});

test('when a condition never comes true, then until says so after its deadline with the last error', async () => {
  const failing = until(() => Promise.reject(new Error('not yet')), { timeoutMs: 30, what: 'the event' });
  await expect(failing).rejects.toMatchObject({ message: 'the event did not come true within 30 ms', cause: new Error('not yet') });
});
