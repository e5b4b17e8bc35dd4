import type { ChildProcess } from 'node:child_process';
import { until } from '@accessops/testing';
import { expect } from 'vitest';
import { end, killWithPrograms, spawnProvisioner } from '../../child.ts';
import { type FaultProxy, startFaultProxy } from '../../fault-proxy.ts';
import { type Suite, startSuite } from '../../suite.ts';
import { prefixOf, type RealTarget, variablesOf } from '../../targets/real-target.ts';

/** So many times while access is made, and as often while it is taken away. */
export const kills = 10;
// A process that starts takes a while on a busy machine, and the lease of a dead worker lasts 10 s.
const patience = 90_000;

interface Round {
  proxy: FaultProxy;
  /** Each has a login of its own, so that none waits for a place at the target that a dead worker holds. */
  login: string;
  requestId: string;
}

/** How much a call at a target says, by the first of the rounds, which nobody disturbs. */
interface Steps {
  apply: number;
  revoke: number;
}

/** The step to be killed at: the rounds go through all of them, by turns before one arrives and once it is answered. */
const strikeAt = (steps: number, round: number) => ({
  nth: 1 + Math.floor((round * steps) / kills),
  when: round % 2 === 0 ? ('sent' as const) : ('answered' as const),
});

const killOnce = async (
  suite: Suite,
  { proxy }: Round,
  at: ReturnType<typeof strikeAt>,
  begin: () => Promise<unknown>,
  isOver: () => Promise<boolean>,
) => {
  const child: ChildProcess = spawnProvisioner(suite);
  try {
    proxy.set({ kind: 'strike', ...at, strike: () => killWithPrograms(child) });
    await begin();
    await until(async () => proxy.struck > 0 || (await isOver()), { timeoutMs: patience, what: 'a worker at work' });
  } finally {
    await end(child, 'SIGKILL');
    proxy.set({ kind: 'none' });
    await leaseUntil(suite, '1 hour');
  }
};

/** Has the leases of killed workers last so long: each job is disturbed once, and then waits for a worker that is left alone. */
const leaseUntil = (suite: Suite, time: string) =>
  suite.sql.query(`update job set due_at = now() + $1::interval where status in ('QUEUED', 'RUNNING')`, [time]);

const isSettled = async (suite: Suite, requestId: string, kind: string): Promise<boolean> =>
  ['SUCCEEDED', 'FAILED'].includes((await suite.job(requestId, kind))?.status ?? '');

/** Told once by the job that makes access and once by the one that takes it away, however many workers were at them. */
const oncePerJob = ['JOB_STARTED', 'JOB_SUCCEEDED', 'JOB_QUEUED'];

/**
 * Kills processes of the provisioner, with what they run, while they make access at a target and while they take it away, each at another
 * step, and has the next one go on. In the end each access has been there once, has let its holder in, and is gone. Answers how many there were.
 */
export const killRounds = async (target: RealTarget): Promise<number> => {
  const rounds: Round[] = [];
  for (let n = 0; n <= kills; n++) rounds.push({ proxy: await startFaultProxy(target.port), login: `round-${n}`, requestId: '' });
  const { connector } = target;
  const logins = rounds.map(({ login, proxy }) => variablesOf(prefixOf[connector] ?? '', login, target.login(proxy.port)));
  const suite = await startSuite({ instances: 0, environment: Object.assign({}, ...logins) as Record<string, string> });
  try {
    const holder = { ...suite.requester, id: target.holderId ?? suite.requester.id };
    await suite.tellSlug();
    const approve = async (round: Round) => {
      round.requestId = await suite.approve({ connector, config: target.config(round.login, round.proxy.port), requester: holder });
    };
    const [calm, ...disturbed] = rounds as [Round, ...Round[]];
    const steps = await measure(suite, calm, approve);

    for (const [at, round] of disturbed.entries()) {
      await killOnce(
        suite,
        round,
        strikeAt(steps.apply, at),
        () => approve(round),
        () => isSettled(suite, round.requestId, 'PROVISION'),
      );
    }
    await leaseUntil(suite, '0 s');
    await suite.start();
    const credentials = await Promise.all(disturbed.map((round) => credentialOf(suite, holder, round)));
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

    for (const [at, round] of disturbed.entries()) {
      await killOnce(
        suite,
        round,
        strikeAt(steps.revoke, at),
        () => suite.withdraw(round.requestId),
        () => isSettled(suite, round.requestId, 'REVOKE'),
      );
    }
    await leaseUntil(suite, '0 s');
    await suite.start();
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
    await suite.close();
    await Promise.all(rounds.map(({ proxy }) => proxy.close()));
  }
};

const credentialOf = async (suite: Suite, holder: Suite['requester'], { requestId }: Round): Promise<Record<string, unknown>> => {
  const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
  const { credentialJson } = await (await suite.as(holder)).readCredential({ grantId: id });
  return JSON.parse(credentialJson) as Record<string, unknown>;
};

/** By a process that ends well: what it has compiled is kept for the others. */
const measure = async (suite: Suite, round: Round, approve: (round: Round) => Promise<void>): Promise<Steps> => {
  const { proxy } = round;
  const child = spawnProvisioner(suite);
  await approve(round);
  await suite.grantIs(round.requestId, ['ACTIVE'], patience);
  const apply = proxy.sent;
  proxy.set({ kind: 'none' });
  await suite.withdraw(round.requestId);
  await suite.grantIs(round.requestId, ['REVOKED'], patience);
  const revoke = proxy.sent;
  await end(child, 'SIGTERM');
  return { apply, revoke };
};
