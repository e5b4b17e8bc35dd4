import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Step } from '../../src/jobs/step.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { type Suite, startSuite } from '../suite.ts';
import { prefixOf, type RealTarget, strangeWord, variablesOf } from './real-target.ts';

const patience = 240_000;
const deadlineMs = 10_000;
const anything = /^/;
// What a server says that was expecting TLS.
const noise = `\x15\x03\x03\x00\x02\x02\x28${strangeWord}`;

interface Case {
  title: string;
  fault: Fault;
  /** Whether access may have been made: then the target has to be asked before anything else. Unset: that depends on the target. */
  unsure?: boolean;
}

const garbage = (title: string, sent: RegExp, sayings: string[], unsure?: boolean): Case[] =>
  sayings.map((says, n) => ({ title: `${title} (${n})`, fault: { kind: 'garbage', sent, says }, unsure }));

const atAnyTime = ({ unsure }: RealTarget): Case[] => [
  { title: 'is down', fault: { kind: 'down' }, unsure: unsure?.down },
  { title: 'takes connections and says nothing', fault: { kind: 'deaf' } },
  ...garbage('talks nonsense', anything, [noise]),
];

const whileGiving = ({ moments, unsure, strangers = [], strangers: [says = noise] = [] }: RealTarget): Case[] =>
  moments
    ? [
        { title: 'breaks off half way', fault: { kind: 'cut-before', sent: moments.halfway }, unsure: unsure?.halfway },
        { title: 'has given access when the connection breaks', fault: { kind: 'cut-answer', sent: moments.given }, unsure: true },
        { title: 'times out after giving access', fault: { kind: 'no-answer', sent: moments.given }, unsure: true },
        { title: 'talks nonsense since it has given access', fault: { kind: 'garbage-since', sent: moments.given, says }, unsure: true },
        ...garbage('talks nonsense half way', moments.halfway, strangers, true),
      ]
    : [];

const whileTaking = ({ moments, strangers = [], strangers: [says = noise] = [] }: RealTarget): Case[] => [
  ...garbage('is somebody else', anything, strangers),
  ...(moments
    ? [
        { title: 'breaks off half way', fault: { kind: 'cut-before' as const, sent: moments.taken } },
        { title: 'talks nonsense since access was taken away', fault: { kind: 'garbage-since' as const, sent: moments.taken, says } },
        ...garbage('talks nonsense half way', moments.taken, strangers.slice(-1)),
      ]
    : []),
];

/** Whether an attempt was broken off because it took too long: a machine that stands still does that to any, and nobody knows what has happened. */
const hasRunOutOfTime = (steps: Step[]): boolean => steps.some(({ message }) => message === 'The target did not answer in time');

/** Whether attempts after the one that ended in the dark have done nothing before they were told what there is. */
const hasAskedFirst = (steps: Step[], darkAttempt: number): boolean =>
  steps.every(({ name, attempt }, at) => {
    const before = steps[at - 1];
    return (
      name !== 'APPLY' ||
      attempt <= darkAttempt ||
      (before?.name === 'VERIFY' && before.attempt === attempt && before.status === 'SUCCEEDED')
    );
  });

/**
 * Tests what holds for all connectors when their target breaks while access is given or taken away: it is given once, it is over only when
 * the target has been seen without it, and what strangers say gets to nobody.
 */
export const describeBroken = (target: RealTarget | undefined): void => {
  if (!target) return;
  const { connector } = target;
  const giving = [...atAnyTime(target), ...whileGiving(target)].map((one, n) => ({ ...one, login: `giving-${n}` }));
  const taking = [...atAnyTime(target), ...whileTaking(target)].map((one, n) => ({ ...one, login: `taking-${n}` }));

  describe.concurrent(`breakdown of ${connector}`, { timeout: 2 * patience }, () => {
    let suite: Suite;
    let holder: Suite['requester'];
    /** Each test has a login of its own, and a proxy on the way to it. */
    const proxies = new Map<string, FaultProxy>();
    const proxyOf = (login: string) => proxies.get(login) as FaultProxy;

    beforeAll(async () => {
      for (const { login } of [...giving, ...taking]) proxies.set(login, await startFaultProxy(target.port));
      const logins = [...proxies].map(([login, { port }]) => variablesOf(prefixOf[connector] ?? '', login, target.login(port)));
      const environment = Object.assign({}, ...logins) as Record<string, string>;
      suite = await startSuite({ environment, overrides: { worker: { deadlineMs } } });
      holder = { ...suite.requester, id: target.holderId ?? suite.requester.id };
      await suite.tellSlug();
    });
    afterAll(async () => {
      await suite.close();
      for (const proxy of proxies.values()) await proxy.close();
      await target.close();
    });

    const approve = (login: string) => suite.approve({ connector, requester: holder, config: target.config(login, proxyOf(login).port) });
    const keyOf = async (requestId: string) => (await suite.jobIs(requestId, 'SUCCEEDED', patience)).id;
    const credentialOf = async (requestId: string) => {
      const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
      const { credentialJson } = await (await suite.as(holder)).readCredential({ grantId: id });
      return JSON.parse(credentialJson) as Record<string, unknown>;
    };
    const jobOf = async (requestId: string): Promise<{ last_error: string | null; unsure: boolean; attempts: number; steps: Step[] }> =>
      (await suite.sql.query('select last_error, unsure, attempts, steps from job where request_id = $1', [requestId])).rows[0];
    const hasFailed = (requestId: string, what: (steps: Step[]) => boolean) =>
      until(async () => what((await jobOf(requestId))?.steps ?? []), { timeoutMs: patience, what: 'a step that fails' });
    const isIn = async (credential: Record<string, unknown>, wanted: boolean) =>
      until(async () => (await target.letsIn(credential)) === wanted, { timeoutMs: patience, what: `letsIn: ${wanted}` });
    const keptToItself = async (requestId: string) => {
      const { rows } = await suite.sql.query(
        `select job::text as text from job where request_id = $1::uuid
         union all select encode(payload, 'escape') from outbox_event where aggregate_id = $1::text`,
        [requestId],
      );
      expect(rows.filter(({ text }) => String(text).includes(strangeWord))).toEqual([]);
    };

    test.each(giving)(
      'when the target $title, then access is given once it is well again, once, and ends',
      async ({ login, fault, unsure }) => {
        const proxy = proxyOf(login);
        proxy.set(fault);
        const requestId = await approve(login);
        await hasFailed(requestId, (steps) => steps.some(({ status }) => status === 'FAILED'));
        // What goes on beside may have failed an attempt before: it is the fault that makes unsure.
        const failed = await until(
          async () => {
            const job = await jobOf(requestId);
            return job.last_error && (job.unsure || !unsure) && job;
          },
          { timeoutMs: patience, what: 'an attempt that has failed' },
        );
        const mayBe = unsure === undefined ? failed.unsure : unsure || hasRunOutOfTime(failed.steps);
        expect(failed.unsure).toBe(mayBe);
        if (fault.kind === 'garbage-since') {
          await hasFailed(requestId, (steps) => steps.some(({ name, status }) => name === 'VERIFY' && status === 'FAILED'));
        }
        proxy.set({ kind: 'none' });
        // However many attempts the fault has cost until it was noticed here.
        await suite.sql.query('update job set max_attempts = attempts + 5 where request_id = $1', [requestId]);
        const credential = await credentialOf(requestId);
        const key = await keyOf(requestId);
        expect(hasAskedFirst((await jobOf(requestId)).steps, failed.attempts) || !failed.unsure).toBe(true);
        const objects = await target.objectsOf(key);
        expect([objects.length > 0, new Set(objects).size]).toEqual([true, objects.length]);
        await isIn(credential, true);
        await suite.withdraw(requestId);
        await suite.grantIs(requestId, ['REVOKED'], patience);
        expect(await target.objectsOf(key)).toEqual([]);
        await isIn(credential, false);
        await keptToItself(requestId);
      },
    );

    test.each(taking)(
      'when the target $title at the end, then that is visible, and REVOKED only when it was seen',
      async ({ login, fault }) => {
        const proxy = proxyOf(login);
        const requestId = await approve(login);
        const credential = await credentialOf(requestId);
        const key = await keyOf(requestId);
        await isIn(credential, true);
        proxy.set(fault);
        await suite.withdraw(requestId);
        await suite.grantIs(requestId, ['REVOKE_FAILED'], patience);
        expect((await target.objectsOf(key)).length > 0 || fault.kind === 'garbage-since').toBe(true);
        proxy.set({ kind: 'none' });
        await suite.grantIs(requestId, ['REVOKED'], patience);
        expect(await target.objectsOf(key)).toEqual([]);
        await isIn(credential, false);
        await keptToItself(requestId);
        const told = (await suite.actions(requestId)).filter((action) => action.startsWith('GRANT_'));
        expect(told).toEqual(['GRANT_ACTIVATED', 'GRANT_REVOCATION_STARTED', 'GRANT_REVOKE_FAILED', 'GRANT_REVOKED']);
      },
    );
  });
};
