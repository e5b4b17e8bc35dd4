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

/** Has a worker be at three jobs, before the target, behind it, and taking access away, and kills it. Answers whether it was at them until then. */
const killAtWork = async (): Promise<boolean> => {
  child = spawnProvisioner(suite);
  ending = await suite.approve();
  const { id: grantId } = await suite.grantIs(ending, ['ACTIVE'], patience);
  await suite.sql.query(`update access_grant set access = jsonb_set(access, '{config}', '{"latencyMs": 10000}') where id = $1`, [grantId]);
  unreached = await suite.approve({ config: { latencyMs: 10_000 } });
  reached = await suite.approve({ config: { answerLatencyMs: 10_000 } });
  await suite.endsIn(grantId, 0);
  const { id } = await until(() => suite.job(reached), { timeoutMs: patience });
  await until(() => suite.target(id), { timeoutMs: patience });
  const jobs = () => Promise.all([suite.job(unreached), suite.job(reached), suite.job(ending, 'REVOKE')]);
  await until(async () => (await jobs()).every((job) => job && job.attempts > 0), { timeoutMs: patience, what: 'a worker at work' });
  await end(child, 'SIGKILL');
  return (await jobs()).every((job) => job?.status === 'RUNNING' && job.attempts === 1);
};

/** One worker is killed. Where the machine has stood still for as long as the jobs take, there was nothing to kill: then another. At last another starts. */
beforeAll(async () => {
  suite = await startSuite({ instances: 0 });
  await until(killAtWork, { timeoutMs: 3 * patience, what: 'a worker that is killed at work' });
  await suite.sql.query(`update job set spec = jsonb_set(spec, '{config}', '{}') where status = 'RUNNING'`);
  await suite.start();
}, 240_000);

afterAll(async () => {
  await end(child, 'SIGKILL');
  await suite.close();
});

const provisionedBySecond = ['JOB_QUEUED', 'JOB_STARTED', 'JOB_RESUMED', 'JOB_SUCCEEDED', 'GRANT_ACTIVATED'];

test('when the worker is killed before it has reached the target, then another finishes the job, once', {
  timeout: 2 * patience,
}, async () => {
  await suite.grantIs(unreached, ['ACTIVE'], patience);
  const job = await suite.jobIs(unreached, 'SUCCEEDED');
  expect(job.attempts).toBe(2);
  expect(await suite.actions(unreached)).toEqual(provisionedBySecond);
  expect(await suite.target(job.id)).toMatchObject({ present: true, times_created: 1 });
});

test('when it is killed after that, then the effect is not made a second time and the credential is right', {
  timeout: 2 * patience,
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

test('when it is killed while it takes access away, then another takes it away', { timeout: 2 * patience }, async () => {
  await suite.grantIs(ending, ['EXPIRED'], patience);
  const grantActions = (await suite.actions(ending)).filter((action) => action.startsWith('GRANT_'));
  expect(grantActions).toEqual(['GRANT_ACTIVATED', 'GRANT_REVOCATION_STARTED', 'GRANT_EXPIRED']);
  expect(await suite.target((await suite.jobIs(ending, 'SUCCEEDED')).id)).toMatchObject({ present: false, times_created: 1 });
});
