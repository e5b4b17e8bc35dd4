import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { gated } from './gate.ts';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeEach(async () => {
  suite = await startSuite({ instances: 0 });
});
afterEach(() => suite.close());

test('when a worker stops while a job runs, then the job is finished first', async () => {
  await suite.start({ worker: { drainMs: 60_000 } });
  suite.gate.close();
  const requestId = await suite.approve(gated);
  await suite.jobIs(requestId, 'RUNNING');
  const stopped = suite.stopAll();
  suite.gate.open();
  await stopped;
  expect(await suite.job(requestId)).toMatchObject({ status: 'SUCCEEDED', attempts: 1 });
  expect(await suite.grant(requestId)).toMatchObject({ status: 'ACTIVE' });
});

test('when a job does not end in time for a stop, then another worker takes it', async () => {
  await suite.start({ worker: { drainMs: 100 } });
  suite.gate.close();
  const requestId = await suite.approve(gated);
  await suite.jobIs(requestId, 'RUNNING');
  await suite.stopAll();
  expect(await suite.job(requestId)).toMatchObject({ status: 'RUNNING', attempts: 1 });
  suite.gate.open();
  await suite.start();
  await suite.sql.query(`update job set due_at = now() + interval '1 second' where request_id = $1`, [requestId]);
  await suite.grantIs(requestId, ['ACTIVE']);
  expect(await suite.job(requestId)).toMatchObject({ status: 'SUCCEEDED', attempts: 2 });
});

test('when a job takes longer than a lease, then its worker keeps it', async () => {
  // Prolonged every four seconds: there is time to stand still in between.
  const worker = { leaseMs: 12_000 };
  await Promise.all([suite.start({ worker }), suite.start({ worker })]);
  suite.gate.close();
  const requestId = await suite.approve(gated);
  await suite.jobIs(requestId, 'RUNNING');
  await until(
    async () =>
      (await suite.sql.query(`select from job where request_id = $1 and now() > started_at + interval '13 seconds'`, [requestId])).rowCount,
    { timeoutMs: 40_000, what: 'a job that has taken longer than a lease' },
  );
  suite.gate.open();
  await suite.grantIs(requestId, ['ACTIVE']);
  expect(await suite.job(requestId)).toMatchObject({ attempts: 1 });
});

test('when two instances run, then they share the work and nothing is done twice', { timeout: 120_000 }, async () => {
  await Promise.all([suite.start(), suite.start()]);
  const requestIds = Array.from({ length: 200 }, () => newId());
  await Promise.all(requestIds.map((requestId) => suite.approve({ requestId, duration: 'PT2S', config: { latencyMs: 20 } })));
  const count = async (text: string) => Number((await suite.sql.query(text)).rows[0].count);
  await until(async () => (await count(`select count(*) from access_grant where status = 'EXPIRED'`)) === 200, { timeoutMs: 100_000 });
  expect(await count(`select count(*) from job where kind = 'PROVISION'`)).toBe(200);
  expect(await count(`select count(*) from job where kind = 'REVOKE'`)).toBe(200);
  expect(await count('select max(attempts) as count from job')).toBe(1);
  expect(await count('select count(*) from simulated_target where times_created <> 1 or present')).toBe(0);
  expect(await count('select count(distinct worker) from job')).toBe(2);
  // Of nine events, three actions come twice: queued, started and succeeded, once for each of the two jobs.
  for (const requestId of requestIds) {
    const actions = await suite.actions(requestId);
    expect([actions.length, new Set(actions).size]).toEqual([9, 6]);
  }
});
