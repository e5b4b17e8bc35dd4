import type { ChildProcess } from 'node:child_process';
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

test('when a worker sleeps through its lease, then it changes nothing any more when it wakes up', { timeout: 120_000 }, async () => {
  const requestId = await suite.approve({ config: { latencyMs: 2000 } });
  const { id } = await suite.jobIs(requestId, 'RUNNING', patience);
  child.kill('SIGSTOP');
  await suite.start();
  const grant = await suite.grantIs(requestId, ['ACTIVE'], patience);
  await (await suite.as(suite.admin)).revokeGrant({ id: grant.id });
  await suite.grantIs(requestId, ['REVOKED']);
  const before = await suite.actions(requestId);
  await suite.stopAll();
  child.kill('SIGCONT');
  // The others have stopped: when this one is provisioned, the sleeper is awake and has been through its old job.
  await suite.grantIs(await suite.approve({ config: { latencyMs: 2500 } }), ['ACTIVE'], patience);
  expect(await suite.target(id)).toMatchObject({ present: false, times_created: 1 });
  expect(await suite.actions(requestId)).toEqual(before);
  expect(await end(child, 'SIGTERM')).toBe(0);
});
