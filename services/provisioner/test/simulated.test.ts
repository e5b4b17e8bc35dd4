import { createDatabase, type TestDatabase } from '@accessops/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Access, ConnectorError, finalFence } from '../src/connector.ts';
import { createSimulatedConnector } from '../src/connectors/simulated.ts';
import { newAccess } from './access.ts';

let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createDatabase(['provisioner']);
  pool = new pg.Pool({ connectionString: database.appUrl('provisioner'), max: 2 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const access = (partial: Partial<Access> = {}): Access => newAccess({ resourceKey: 'staging-db', role: 'reader', config: {}, ...partial });

const never = new AbortController().signal;
const timesCreated = async ({ key, tenantId }: Access) => {
  const client = await pool.connect();
  try {
    await client.query(`select set_config('app.tenant_id', $1, false)`, [tenantId]);
    return (await client.query('select times_created from simulated_target where key = $1', [key])).rows[0]?.times_created;
  } finally {
    client.release(true);
  }
};

test('when access is applied twice under one key, then it is made once and the later credential counts', async () => {
  const connector = createSimulatedConnector(pool);
  const wanted = access();
  expect(await connector.plan(wanted, never)).toEqual({ steps: [expect.stringContaining('staging-db')] });
  const first = await connector.apply(wanted, never);
  const second = await connector.apply({ ...wanted, attempt: 2, fence: 2 }, never);
  expect(second.handle).toEqual(first.handle);
  expect(second.credential).not.toEqual(first.credential);
  expect(await connector.verify(wanted, never)).toBe(true);
  expect(await timesCreated(wanted)).toBe(1);
});

test('when access is extended, then it stays what it is, under the number of who has extended it', async () => {
  const connector = createSimulatedConnector(pool);
  const wanted = access();
  await expect(connector.extend?.({ ...wanted, fence: 2 }, never)).rejects.toMatchObject({ kind: 'refused' });
  await connector.apply(wanted, never);
  expect(await connector.extend?.({ ...wanted, fence: 3 }, never)).toBeNull();
  await expect(connector.apply({ ...wanted, fence: 2 }, never)).rejects.toMatchObject({ kind: 'failed' });
  await expect(connector.extend?.({ ...wanted, fence: 2 }, never)).rejects.toMatchObject({ kind: 'failed' });
  expect([await connector.verify(wanted, never), await timesCreated(wanted)]).toEqual([true, 1]);
  await connector.revoke({ ...wanted, fence: finalFence }, never);
  await expect(connector.extend?.({ ...wanted, fence: 4 }, never)).rejects.toMatchObject({ kind: 'refused' });
});

test('when access was taken away for good, then nothing under its key brings it back', async () => {
  const connector = createSimulatedConnector(pool);
  const wanted = access();
  await connector.apply(wanted, never);
  await connector.revoke({ ...wanted, fence: finalFence }, never);
  await connector.revoke({ ...wanted, fence: finalFence }, never);
  expect(await connector.verify(wanted, never)).toBe(false);
  await expect(connector.apply({ ...wanted, fence: 7 }, never)).rejects.toBeInstanceOf(ConnectorError);
  expect(await connector.verify(wanted, never)).toBe(false);
});

test('when an earlier worker comes late, then it neither makes nor takes anything', async () => {
  const connector = createSimulatedConnector(pool);
  const late = access();
  const current = { ...late, attempt: 2, fence: 2 };
  await connector.apply(current, never);
  await expect(connector.apply(late, never)).rejects.toBeInstanceOf(ConnectorError);
  await connector.revoke(late, never);
  expect(await connector.verify(current, never)).toBe(true);
  await connector.revoke(current, never);
  await expect(connector.apply(current, never)).rejects.toBeInstanceOf(ConnectorError);
  expect(await connector.verify(current, never)).toBe(false);
});

test('when clearing up comes before anything was made, then a late apply of that attempt finds the door shut', async () => {
  const connector = createSimulatedConnector(pool);
  const wanted = access();
  await connector.revoke(wanted, never);
  await expect(connector.apply(wanted, never)).rejects.toBeInstanceOf(ConnectorError);
  await connector.apply({ ...wanted, attempt: 2, fence: 2 }, never);
  expect(await timesCreated(wanted)).toBe(1);
});

test('when time is up, then a call ends without an effect', async () => {
  const connector = createSimulatedConnector(pool);
  const wanted = access({ config: { latencyMs: 5000 } });
  await expect(connector.apply(wanted, AbortSignal.timeout(20))).rejects.toThrow();
  expect(await connector.verify(wanted, never)).toBe(false);
});
