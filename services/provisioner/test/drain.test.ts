import type { ChildProcess } from 'node:child_process';
import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { end, spawnProvisioner } from './child.ts';
import { type Suite, startSuite } from './suite.ts';

// A process that starts takes a while on a busy machine.
const patience = 40_000;

let suite: Suite;
let child: ChildProcess;
beforeAll(async () => {
  suite = await startSuite({ instances: 0 });
  child = spawnProvisioner(suite);
});
afterAll(async () => {
  await end(child, 'SIGKILL');
  await suite.close();
});

const count = async (condition: string): Promise<number> =>
  Number((await suite.sql.query(`select count(*) from job where ${condition}`)).rows[0].count);

test('when a worker is told to stop, then what runs ends and is recorded, and another does the rest: nothing is lost, nothing done twice', {
  timeout: 3 * patience,
}, async () => {
  // More than a worker has room for: some run, the others wait.
  const requestIds = Array.from({ length: 150 }, () => newId());
  await Promise.all(requestIds.map((requestId) => suite.approve({ requestId, config: { latencyMs: 1500 } })));
  await until(async () => (await count(`status = 'RUNNING'`)) > 0, { timeoutMs: patience });
  expect(await end(child, 'SIGTERM')).toBe(0);

  expect(await count(`status = 'RUNNING'`)).toBe(0);
  const done = await count(`status = 'SUCCEEDED' and attempts = 1`);
  expect(done).toBeGreaterThan(0);
  expect(done + (await count(`status = 'QUEUED' and attempts = 0`))).toBe(await count('true'));

  await suite.start();
  for (const requestId of requestIds) await suite.grantIs(requestId, ['ACTIVE'], patience);
  expect(await count(`status = 'SUCCEEDED' and attempts = 1`)).toBe(150);
  expect((await suite.sql.query('select 1 from simulated_target where times_created <> 1 or not present')).rowCount).toBe(0);
});
