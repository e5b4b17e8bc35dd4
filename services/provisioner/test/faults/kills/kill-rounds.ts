import { until } from '@accessops/testing';
import { expect } from 'vitest';
import { end, spawnProvisioner } from '../../child.ts';
import type { RealTarget } from '../../targets/real-target.ts';
import { isSettled, kills, patience, type Rounds, startRounds } from './rounds.ts';

/** Told once by the job that makes access and once by the one that takes it away, however many workers were at them. */
const oncePerJob = ['JOB_STARTED', 'JOB_SUCCEEDED', 'JOB_QUEUED'];

/**
 * Kills processes of the provisioner, with what they run, while they make access at a target and while they take it away, each at another step, and has the
 * next one go on. In the end each access has been there once, has let its holder in, and is gone. Answers how many there were.
 */
export const killRounds = async (target: RealTarget): Promise<number> => {
  const rounds = await startRounds(target);
  const { suite, disturbed, approve, killEach, credentialOf } = rounds;
  try {
    const steps = await measure(rounds);

    await killEach(steps.apply, approve, ({ requestId }) => isSettled(suite, requestId, 'PROVISION'));
    const credentials = await Promise.all(disturbed.map(credentialOf));
    const keys = await Promise.all(disturbed.map(async ({ requestId }) => (await suite.jobIs(requestId, 'SUCCEEDED')).id));
    const attempts = await Promise.all(disturbed.map(async ({ requestId }) => (await suite.job(requestId))?.attempts ?? 0));
    for (const [at, key] of keys.entries()) {
      const objects = await target.objectsOf(key);
      expect(objects.length).toBeGreaterThan(0);
      expect(new Set(objects).size).toBe(objects.length);
      const credential = credentials[at] ?? {};
      await until(() => target.letsIn(credential), { timeoutMs: patience, what: 'access that lets in' });
    }
    expect(attempts.filter((count) => count > 1).length).toBeGreaterThanOrEqual(kills - 1);
    await suite.stopAll();

    await killEach(
      steps.revoke,
      ({ requestId }) => suite.withdraw(requestId),
      ({ requestId }) => isSettled(suite, requestId, 'REVOKE'),
    );
    for (const [at, { requestId }] of disturbed.entries()) {
      await suite.grantIs(requestId, ['REVOKED'], patience);
      expect(await target.objectsOf(keys[at] ?? '')).toEqual([]);
      await until(async () => !(await target.letsIn(credentials[at] ?? {})), { timeoutMs: patience, what: 'access that is over' });
      const actions = await suite.actions(requestId);
      expect(actions.filter((action) => action.startsWith('GRANT_'))).toEqual([
        'GRANT_ACTIVATED',
        'GRANT_REVOCATION_STARTED',
        'GRANT_REVOKED',
      ]);
      for (const action of oncePerJob) expect([action, actions.filter((one) => one === action).length]).toEqual([action, 2]);
    }
    return disturbed.length;
  } finally {
    await rounds.close();
  }
};

/** How much a call at a target says. By a process that ends well: what it has compiled is kept for the others. */
const measure = async ({ suite, calm, approve }: Rounds): Promise<{ apply: number; revoke: number }> => {
  const { proxy } = calm;
  const child = spawnProvisioner(suite);
  await approve(calm);
  await suite.grantIs(calm.requestId, ['ACTIVE'], patience);
  const apply = proxy.sent;
  proxy.set({ kind: 'none' });
  await suite.withdraw(calm.requestId);
  await suite.grantIs(calm.requestId, ['REVOKED'], patience);
  const revoke = proxy.sent;
  await end(child, 'SIGTERM');
  return { apply, revoke };
};
