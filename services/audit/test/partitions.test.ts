import { newId } from '@accessops/db';
import { services } from '@accessops/events';
import { until } from '@accessops/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { changeOf, type Suite, startSuite } from './suite.ts';

let suite: Suite;
let app: pg.Client;
beforeAll(async () => {
  suite = await startSuite();
  app = new pg.Client({ connectionString: suite.database.appUrl('audit') });
  await app.connect();
});
afterAll(async () => {
  await app.end();
  await suite.close();
});

const month = (ahead: number, base = new Date()) =>
  new Date(Date.UTC(base.getUTCFullYear(), base.getUTCMonth() + ahead)).toISOString().slice(0, 7);
const nameOf = (of: string) => `audit_event_${of.replace('-', '_')}`;
const exists = async (of: string) => (await suite.admin.query('select to_regclass($1) as found', [nameOf(of)])).rows[0].found !== null;
const ensure = async (of: string): Promise<string> =>
  (await app.query('select ensure_audit_partition($1) as state', [`${of}-01`])).rows[0].state;

test('when the service starts, then this month and the next two have their partitions before anything is recorded', async () => {
  await until(() => exists(month(2)), { what: 'partitions ahead' });
  expect(await Promise.all([month(0), month(1)].map(exists))).toEqual([true, true]);
  expect(await exists(month(3))).toBe(false);
});

test('when an event happened in a month, then its row lies in the partition of that month', async () => {
  const tenantId = newId();
  const first = `${month(1)}-01T00:00:00.000Z`;
  const before = new Date(Date.parse(first) - 1);
  await suite.publish(
    'requests',
    changeOf(tenantId, {}, { occurredAt: before }),
    changeOf(tenantId, {}, { occurredAt: new Date(first) }),
    changeOf(tenantId, {}, { occurredAt: new Date(0) }),
  );
  await suite.log(tenantId, 3);
  const { rows } = await suite.admin.query(
    'select tableoid::regclass::text as table from audit_event where tenant_id = $1 order by sequence',
    [tenantId],
  );
  expect(rows.map(({ table }) => table)).toEqual([nameOf(month(0)), nameOf(month(1)), 'audit_event_default']);
});

test('when several instances make the same partition at once, then it is made once', async () => {
  const clients = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const client = new pg.Client({ connectionString: suite.database.appUrl('audit') });
      await client.connect();
      return client;
    }),
  );
  const made = await Promise.all(clients.map((client) => client.query('select ensure_audit_partition($1) as state', [`${month(5)}-15`])));
  expect(made.map(({ rows }) => rows[0].state).toSorted()).toEqual(['made', 'there', 'there', 'there', 'there']);
  expect(await exists(month(5))).toBe(true);
  await Promise.all(clients.map((client) => client.end()));
});

test('when rows of a month lie in the default partition already, then they stay there and the month is recorded on', async () => {
  const tenantId = newId();
  const occurredAt = new Date(`${month(8)}-10T00:00:00.000Z`);
  await suite.publish('requests', changeOf(tenantId, {}, { occurredAt }));
  await suite.log(tenantId, 1);
  expect(await ensure(month(8))).toBe('without');
  expect(await exists(month(8))).toBe(false);
  await suite.publish('requests', changeOf(tenantId, {}, { occurredAt }));
  expect(await suite.log(tenantId, 2)).toHaveLength(2);
});

test('when a month far from now is asked for, then none is made', async () => {
  expect(await ensure('2099-01')).toBe('without');
  expect(await ensure('1999-01')).toBe('without');
  expect(await exists('2099-01')).toBe(false);
});

test('when a schema of the caller stands first in the search path, then the function does not look there', async () => {
  await suite.admin.query('create schema trap; grant all on schema trap to public');
  await app.query(`create function trap.to_regclass(text) returns regclass language sql as $$ select 'audit_event'::regclass $$`);
  await app.query('set search_path = trap, pg_catalog, audit');
  expect(await ensure(month(6))).toBe('made');
  await app.query('reset search_path');
  expect(await exists(month(6))).toBe(true);
});

test('when a new month begins while the service runs, then its partitions are made before the first of many events is recorded', async () => {
  let now = new Date();
  const other = await startSuite({ now: () => now });
  onTestFinished(() => other.close());
  await other.tenantWith(1);
  now = new Date(`${month(4)}-01T00:00:00.000Z`);
  const tenants = Array.from({ length: 30 }, newId);
  await Promise.all(services.map((producer) => other.publish(producer, ...tenants.map((tenantId) => changeOf(tenantId)))));
  for (const tenantId of tenants) expect(await other.log(tenantId, services.length)).toHaveLength(services.length);
  const { rows } = await other.admin.query('select to_regclass($1) as found', [nameOf(month(6))]);
  expect(rows[0].found).not.toBeNull();
});
