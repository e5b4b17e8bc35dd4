import type { ChildProcess } from 'node:child_process';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { end, spawnProvisioner } from '../child.ts';
import { type Suite, startSuite } from '../suite.ts';

// A process that starts takes a while on a busy machine, and the lease of a dead worker lasts 10 s.
const patience = 40_000;

let suite: Suite;
let child: ChildProcess;
let unreached: string;
let reached: string;
let ending: string;

/** One worker is killed while it has three jobs: before the target, behind it, and taking access away. Then another starts. */
beforeAll(async () => {
  suite = await startSuite({ instances: 0 });
  child = spawnProvisioner(suite);
  ending = await suite.approve({ duration: 'PT1S', config: { latencyMs: 3000 } });
  await until(() => suite.job(ending, 'REVOKE'), { timeoutMs: patience });
  unreached = await suite.approve({ config: { latencyMs: 8000 } });
  reached = await suite.approve({ config: { answerLatencyMs: 8000 } });
  await suite.jobIs(unreached, 'RUNNING');
  const { id } = await suite.jobIs(reached, 'RUNNING');
  await until(() => suite.target(id));
  await until(async () => (await suite.job(ending, 'REVOKE'))?.status === 'RUNNING');
  await end(child, 'SIGKILL');
  await suite.start();
}, 120_000);

afterAll(async () => {
  await end(child, 'SIGKILL');
  await suite.close();
});

const provisionedBySecond = ['JOB_QUEUED', 'JOB_STARTED', 'JOB_RESUMED', 'JOB_SUCCEEDED', 'GRANT_ACTIVATED'];

test('when the worker is killed before it has reached the target, then another finishes the job, once', { timeout: patience }, async () => {
  await suite.grantIs(unreached, ['ACTIVE'], patience);
  const job = await suite.jobIs(unreached, 'SUCCEEDED');
  expect(job.attempts).toBe(2);
  expect(await suite.actions(unreached)).toEqual(provisionedBySecond);
  expect(await suite.target(job.id)).toMatchObject({ present: true, times_created: 1 });
});

test('when it is killed after that, then the effect is not made a second time and the credential is right', {
  timeout: patience,
}, async () => {
  const grant = await suite.grantIs(reached, ['ACTIVE'], patience);
  const job = await suite.jobIs(reached, 'SUCCEEDED');
  expect(await suite.actions(reached)).toEqual(provisionedBySecond);
  expect(await suite.target(job.id)).toMatchObject({ present: true, times_created: 1 });
  const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: grant.id });
  const { password } = JSON.parse(credentialJson) as { password: string };
  const { rowCount } = await suite.sql.query('select 1 from simulated_target where key = $1 and password_digest = sha256($2)', [
    job.id,
    Buffer.from(password),
  ]);
  expect(rowCount).toBe(1);
});

test('when it is killed while it takes access away, then another takes it away', { timeout: patience }, async () => {
  await suite.grantIs(ending, ['EXPIRED'], patience);
  const grantActions = (await suite.actions(ending)).filter((action) => action.startsWith('GRANT_'));
  expect(grantActions).toEqual(['GRANT_ACTIVATED', 'GRANT_REVOCATION_STARTED', 'GRANT_EXPIRED']);
  expect(await suite.target((await suite.jobIs(ending, 'SUCCEEDED')).id)).toMatchObject({ present: false, times_created: 1 });
});
