import { until } from '@accessops/testing';
import { expect } from 'vitest';
import type { RealTarget } from '../../targets/real-target.ts';
import { isSettled, kills, patience, type Round, type Rounds, startRounds } from './rounds.ts';

const hour = 3_600_000;
// The target counts from when it was asked.
const slackMs = 60_000;

/** Has a job end well; answers how many workers were at it. */
const attemptsOf = async ({ suite }: Rounds, requestId: string, kind: string): Promise<number> => {
  const { attempts } = await until(
    async () => {
      const job = await suite.job(requestId, kind);
      return job?.status === 'SUCCEEDED' && job;
    },
    { timeoutMs: patience, what: `${kind} that has succeeded` },
  );
  return attempts;
};

/**
 * Kills processes of the provisioner while they issue credentials anew and while they extend access, each at another step, and has the next one go on. In
 * the end each access is there once, ends when it should, lets its holder in with what they were handed, and goes. Answers how many there were.
 */
export const changeRounds = async (target: RealTarget): Promise<number> => {
  const rounds = await startRounds(target);
  const { suite, holder, calm, disturbed, approve, killEach, credentialOf } = rounds;
  const extensions = new Map<Round, string>();
  const extend = async (round: Round) => {
    extensions.set(round, await suite.approve({ requester: holder, extendsRequestId: round.requestId }));
  };
  const extensionOf = (round: Round) => extensions.get(round) ?? '';
  const grantOf = ({ requestId }: Round) => suite.grantIs(requestId, ['ACTIVE'], patience);
  const reissue = async (round: Round) => (await suite.as(holder)).reissueCredential({ grantId: (await grantOf(round)).id });
  /** Answers calls and takes no jobs. */
  const startIdle = () => suite.start({ worker: { concurrency: { high: 0, default: 0, low: 0 } } });
  const letIn = (credential: Record<string, unknown>) =>
    until(() => target.letsIn(credential), { timeoutMs: patience, what: 'access that lets in' });
  const wereDisturbed = (steps: number, attempts: number[]) =>
    expect(attempts.filter((count) => count > 1).length).toBeGreaterThanOrEqual(steps > 0 ? kills - 1 : 0);

  try {
    await suite.start();
    await Promise.all([calm, ...disturbed].map(approve));
    const before = new Map(await Promise.all(disturbed.map(async (round) => [round, await grantOf(round)] as const)));
    const keys = await Promise.all(disturbed.map(async ({ requestId }) => (await suite.jobIs(requestId, 'SUCCEEDED')).id));
    const made = await Promise.all(keys.map(target.objectsOf));
    await grantOf(calm);
    calm.proxy.set({ kind: 'none' });
    await reissue(calm);
    await attemptsOf(rounds, calm.requestId, 'ROTATE');
    const rotating = calm.proxy.sent;
    calm.proxy.set({ kind: 'none' });
    await extend(calm);
    await attemptsOf(rounds, extensionOf(calm), 'EXTEND');
    const extending = calm.proxy.sent;
    await suite.stopAll();

    await startIdle();
    await killEach(rotating, reissue, ({ requestId }) => isSettled(suite, requestId, 'ROTATE'));
    wereDisturbed(rotating, await Promise.all(disturbed.map(({ requestId }) => attemptsOf(rounds, requestId, 'ROTATE'))));
    const credentials = await Promise.all(disturbed.map(credentialOf));
    for (const credential of credentials) await letIn(credential);
    expect(await Promise.all(keys.map(target.objectsOf))).toEqual(made);
    await suite.stopAll();

    await startIdle();
    await killEach(extending, extend, (round) => isSettled(suite, extensionOf(round), 'EXTEND'));
    wereDisturbed(extending, await Promise.all(disturbed.map((round) => attemptsOf(rounds, extensionOf(round), 'EXTEND'))));
    for (const [at, round] of disturbed.entries()) {
      const [key = '', former = {}] = [keys[at], credentials[at]];
      const { expires_at } = await grantOf(round);
      expect(Number(expires_at) - Number(before.get(round)?.expires_at)).toBe(hour);
      const current = await credentialOf(round).catch(() => former);
      for (const credential of [former, current]) await letIn(credential);
      const end = await target.endOf?.(key, current);
      if (end) expect(Math.abs(Number(end) - Number(expires_at))).toBeLessThan(slackMs);
      expect(new Set(await target.objectsOf(key))).toEqual(new Set(made[at]));
      const told = (await suite.actions(round.requestId)).filter((action) => /^GRANT_|^CREDENTIAL_REISSUE/.test(action));
      expect(told).toEqual(['GRANT_ACTIVATED', 'CREDENTIAL_REISSUE_REQUESTED', 'CREDENTIAL_REISSUED', 'GRANT_EXTENDED']);
      await suite.withdraw(round.requestId);
      await suite.grantIs(round.requestId, ['REVOKED'], patience);
      expect(await target.objectsOf(key)).toEqual([]);
      for (const credential of [former, current]) {
        await until(async () => !(await target.letsIn(credential)), { timeoutMs: patience, what: 'access that is over' });
      }
    }
    return disturbed.length;
  } finally {
    await rounds.close();
  }
};
