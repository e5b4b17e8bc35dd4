import type { ChildProcess } from 'node:child_process';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { end, spawnProvisioner } from '../child.ts';
import { type Suite, startSuite } from '../suite.ts';

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

/** Has it fall asleep while it works on a job. */
const fallAsleep = () =>
  until(
    async () => {
      child.kill('SIGCONT');
      const requestId = await suite.approve({ config: { latencyMs: 10_000 } });
      const { id } = await suite.jobIs(requestId, 'RUNNING', patience);
      child.kill('SIGSTOP');
      // Where the machine has stood still for as long as the job takes, it is too late.
      return (await suite.job(requestId))?.status === 'RUNNING' && { requestId, id };
    },
    { timeoutMs: patience, what: 'a worker that sleeps' },
  );

test('when a worker sleeps through its lease, then it changes nothing any more when it wakes up', { timeout: 240_000 }, async () => {
  const { requestId, id } = await fallAsleep();
  // The next one need not take that long.
  await suite.sql.query(`update job set spec = jsonb_set(spec, '{config}', '{}') where id = $1`, [id]);
  await suite.start();
  const grant = await suite.grantIs(requestId, ['ACTIVE'], patience);
  await (await suite.as(suite.admin)).revokeGrant({ id: grant.id });
  await suite.grantIs(requestId, ['REVOKED'], patience);
  const before = await suite.actions(requestId);
  await suite.stopAll();
  child.kill('SIGCONT');
  // The others have stopped: when this one is provisioned, the sleeper is awake and has been through its old job.
  await suite.grantIs(await suite.approve({ config: { latencyMs: 2500 } }), ['ACTIVE'], patience);
  expect(await suite.target(id)).toMatchObject({ present: false, times_created: 1 });
  expect(await suite.actions(requestId)).toEqual(before);
  expect(await end(child, 'SIGTERM')).toBe(0);
});
