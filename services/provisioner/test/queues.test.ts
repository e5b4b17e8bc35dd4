import { until } from '@accessops/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { gated } from './gate.ts';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeEach(async () => {
  suite = await startSuite({ instances: 0 });
});
afterEach(() => suite.close());

const approveMany = (count: number, config: Record<string, unknown>, more: object = {}) =>
  Promise.all(Array.from({ length: count }, () => suite.approve({ config, ...more })));

const running = async (): Promise<number> =>
  Number((await suite.sql.query(`select count(*) from job where status = 'RUNNING' and due_at > now()`)).rows[0].count);

/** The largest number of these jobs that the database ever shows running together, while `meanwhile` goes on. */
const mostAtOnce = async (requestIds: string[], meanwhile: Promise<unknown>): Promise<number> => {
  let most = 0;
  let isOver = false;
  const ending = meanwhile.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const { rows } = await suite.sql.query<{ count: string }>(
      `select count(*) from job where request_id = any($1) and kind = 'PROVISION' and status = 'RUNNING'`,
      [requestIds],
    );
    most = Math.max(most, Number(rows[0]?.count));
  }
  await ending;
  return most;
};

const allActive = async (requestIds: string[]): Promise<void> => {
  for (const requestId of requestIds) await suite.grantIs(requestId, ['ACTIVE'], 50_000);
};

test('when a queue is full of slow jobs, then access that has to end does not wait for them', async () => {
  await suite.start({ worker: { concurrency: { high: 2, default: 2, low: 1 }, drainMs: 0 } });
  const grant = await suite.grantIs(await suite.approve(), ['ACTIVE']);
  suite.gate.close();
  const slow = await approveMany(4, {}, gated);
  await until(async () => (await running()) === 2);
  await (await suite.as(suite.admin)).revokeGrant({ id: grant.id });
  await until(
    async () => (await suite.sql.query('select 1 from access_grant where id = $1 and status = $2', [grant.id, 'REVOKED'])).rowCount === 1,
  );
  expect(await running()).toBe(2);
  expect((await Promise.all(slow.map((requestId) => suite.grant(requestId)))).filter(Boolean)).toEqual([]);
});

test('when a target is slow, then few jobs of all instances work at it, and those of others flow on', async () => {
  // Both look for places all the time.
  const worker = { pollMs: 5 };
  await Promise.all([suite.start({ worker }), suite.start({ worker })]);
  suite.gate.close();
  const slow = await approveMany(24, { target: 'slow', latencyMs: 100 }, gated);
  const statuses = async () => (await Promise.all(slow.map((requestId) => suite.job(requestId)))).map((job) => job?.status);
  const others = async () => {
    await until(async () => (await running()) === 3);
    const [other, free] = [await approveMany(3, { target: 'other' }), await approveMany(20, {})];
    await allActive([...other, ...free]);
    expect((await statuses()).sort()).toEqual([...Array(21).fill('QUEUED'), ...Array(3).fill('RUNNING')]);
    suite.gate.open();
    await allActive(slow);
  };
  expect(await mostAtOnce(slow, others())).toBe(3);
  const { rows } = await suite.sql.query('select count(distinct worker)::integer as workers, max(attempts) as attempts from job');
  expect(rows[0]).toEqual({ workers: 2, attempts: 1 });
});

test('when all places at a target are taken by access that begins, then access that has to end has its own', async () => {
  await suite.start({ worker: { drainMs: 0 } });
  const ending = await suite.grantIs(await suite.approve({ config: { target: 'slow' } }), ['ACTIVE']);
  suite.gate.close();
  await approveMany(6, { target: 'slow' }, gated);
  await until(async () => (await running()) === 3);
  await (await suite.as(suite.admin)).revokeGrant({ id: ending.id });
  await until(async () => (await suite.sql.query('select status from access_grant')).rows[0]?.status === 'REVOKED');
  expect(await running()).toBe(3);
});

test('when jobs without a target fill their queue again and again, then those at a target have their turn, and the other way round', async () => {
  await suite.start({ worker: { concurrency: { high: 2, default: 2, low: 1 } } });
  const [free, at] = await Promise.all([approveMany(12, { latencyMs: 50 }), approveMany(12, { target: 'slow', latencyMs: 50 })]);
  const all = [...free, ...at];
  expect(await mostAtOnce(all, allActive(all))).toBeLessThanOrEqual(4);
});

test('when a worker dies at a target, then its places are free again with its leases', async () => {
  await suite.start({ worker: { leaseMs: 10_000, drainMs: 0 } });
  suite.gate.close();
  const left = await approveMany(3, { target: 'slow' }, gated);
  await until(async () => (await running()) === 3);
  await suite.stopAll();
  suite.gate.open();
  await suite.start();
  await allActive(left);
  expect(await Promise.all(left.map(async (requestId) => (await suite.job(requestId))?.attempts))).toEqual([2, 2, 2]);
});
