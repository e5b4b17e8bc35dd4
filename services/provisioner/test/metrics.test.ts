import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite;
let url: string;
beforeAll(async () => {
  suite = await startSuite({ instances: 0 });
  const { metricsAddress } = await suite.start({}, { METRICS_LISTEN: '127.0.0.1:0' });
  url = `http://${metricsAddress}`;
});
afterAll(() => suite.close());

const metric = async (name: string): Promise<number | undefined> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
};

test('when a target does not let go, then the gauges say so until an admin has seen to it', async () => {
  expect(await metric('accessops_grants_revoke_failed')).toBe(0);
  expect(await metric('accessops_grants_past_expiry')).toBe(0);
  const requestId = await suite.approve({ config: { failRevokeFirst: 100 } });
  const grant = await suite.grantIs(requestId, ['ACTIVE']);
  await suite.sql.query(`update access_grant set expires_at = now() - interval '1 minute' where id = $1`, [grant.id]);
  await suite.grantIs(requestId, ['REVOKE_FAILED'], 50_000);
  expect(await metric('accessops_grants_revoke_failed')).toBe(1);
  expect(await metric('accessops_grants_past_expiry')).toBe(1);
  // It is tried again and again.
  await until(async () => (await metric('accessops_jobs_open{queue="high",status="QUEUED"}')) === 1);
  await (await suite.as(suite.admin)).closeGrant({ id: grant.id, reason: 'Taken away by hand' });
  await until(async () => (await metric('accessops_grants_revoke_failed')) === 0);
  expect(await metric('accessops_grants_past_expiry')).toBe(0);
  expect(await metric('accessops_jobs_failed{kind="REVOKE"}')).toBe(1);
});

test('when anything but the metrics is asked for, then there is nothing', async () => {
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(404);
  expect(await metric('process_cpu_seconds_total')).toBeGreaterThan(0);
});
