import type { ChildProcess } from 'node:child_process';
import { until } from '@accessops/testing';
import { end, killWithPrograms, spawnProvisioner } from '../../child.ts';
import { type FaultProxy, startFaultProxy } from '../../fault-proxy.ts';
import { type Suite, startSuite } from '../../suite.ts';
import { prefixOf, type RealTarget, variablesOf } from '../../targets/real-target.ts';

/** So many times while one thing is done. */
export const kills = 10;
// A process that starts takes a while on a busy machine, and the lease of a dead worker lasts 10 s.
export const patience = 90_000;

/** One access, and the way to its target. */
export interface Round {
  proxy: FaultProxy;
  /** Each has a login of its own, so that none waits for a place at the target that a dead worker holds. */
  login: string;
  requestId: string;
}

/** What makes a job, and how to tell that it is over. */
type Killing = [begin: (round: Round) => Promise<unknown>, isOver: (round: Round) => Promise<boolean>];

/** Accesses at a target that workers are killed for. */
export interface Rounds {
  suite: Suite;
  holder: Suite['requester'];
  /** The first, which nobody disturbs. */
  calm: Round;
  disturbed: Round[];
  /** Has access given; `round` knows its request from then on. */
  approve(round: Round): Promise<void>;
  /**
   * Kills a process of the provisioner, with what it runs, in each of the rounds, at one step of the job that `begin` leads to after the other: by turns before a step has arrived
   * and once it is answered. Then another one goes on, undisturbed. `steps`: how much such a job says to the target.
   */
  killEach(steps: number, ...killing: Killing): Promise<void>;
  /** Reads the credential of the access. */
  credentialOf(round: Round): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/** Whether a job of the request has ended. */
export const isSettled = async (suite: Suite, requestId: string, kind: string): Promise<boolean> =>
  ['SUCCEEDED', 'FAILED'].includes((await suite.job(requestId, kind))?.status ?? '');

/** Has the leases of killed workers last so long: each job is disturbed once, and then waits for a worker that is left alone. */
const leaseUntil = (suite: Suite, time: string) =>
  suite.sql.query(`update job set due_at = now() + $1::interval where status in ('QUEUED', 'RUNNING')`, [time]);

const strikeAt = (steps: number, round: number) => ({
  nth: 1 + Math.floor((round * steps) / kills),
  when: round % 2 === 0 ? ('sent' as const) : ('answered' as const),
});

/** Starts a suite that knows its tenant and has no instance, and a proxy for each round. */
export const startRounds = async (target: RealTarget): Promise<Rounds> => {
  const rounds: Round[] = [];
  for (let n = 0; n <= kills; n++) rounds.push({ proxy: await startFaultProxy(target.port), login: `round-${n}`, requestId: '' });
  const [calm, ...disturbed] = rounds as [Round, ...Round[]];
  const { connector } = target;
  const logins = rounds.map(({ login, proxy }) => variablesOf(prefixOf[connector] ?? '', login, target.login(proxy.port)));
  const suite = await startSuite({ environment: Object.assign({}, ...logins) as Record<string, string> });
  const holder = { ...suite.requester, id: target.holderId ?? suite.requester.id };
  await suite.tellSlug();
  await suite.stopAll();

  const killOnce = async (round: Round, at: ReturnType<typeof strikeAt>, ...[begin, isOver]: Killing) => {
    const { proxy } = round;
    const child: ChildProcess = spawnProvisioner(suite);
    try {
      proxy.set({ kind: 'strike', ...at, strike: () => killWithPrograms(child) });
      await begin(round);
      await until(async () => proxy.struck > 0 || (await isOver(round)), { timeoutMs: patience, what: 'a worker at work' });
    } finally {
      await end(child, 'SIGKILL');
      proxy.set({ kind: 'none' });
      await leaseUntil(suite, '1 hour');
    }
  };

  return {
    suite,
    holder,
    calm,
    disturbed,
    approve: async (round) => {
      round.requestId = await suite.approve({ connector, config: target.config(round.login, round.proxy.port), requester: holder });
    },
    killEach: async (steps, ...killing) => {
      for (const [at, round] of disturbed.entries()) await killOnce(round, strikeAt(steps, at), ...killing);
      await leaseUntil(suite, '0 s');
      await suite.start();
    },
    credentialOf: async ({ requestId }) => {
      const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
      const { credentialJson } = await (await suite.as(holder)).readCredential({ grantId: id });
      return JSON.parse(credentialJson) as Record<string, unknown>;
    },
    close: async () => {
      await suite.close();
      await Promise.all(rounds.map(({ proxy }) => proxy.close()));
    },
  };
};
