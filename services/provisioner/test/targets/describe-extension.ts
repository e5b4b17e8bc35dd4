import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Suite, startSuite } from '../suite.ts';
import { prefixOf, type RealTarget, variablesOf } from './real-target.ts';

const patience = 90_000;
const hour = 3_600_000;
const firstSeconds = 20;
// Certificates begin and end with whole seconds, a moment before the grant.
const slackMs = 2000;

/** Tests that access is extended at a target without a gap; `renews`: its credentials say themselves when they end, so there is another one. */
export const describeExtension = (target: RealTarget | undefined, { renews }: { renews: boolean }): void => {
  if (!target) return;
  const { connector } = target;

  describe(`extension of ${connector}`, { timeout: 2 * patience }, () => {
    let suite: Suite;
    beforeAll(async () => {
      suite = await startSuite({ environment: variablesOf(prefixOf[connector] ?? '', 'main', target.login(target.port)) });
      await suite.tellSlug();
    });
    afterAll(async () => {
      await suite.close();
      await target.close();
    });

    const give = async (duration: string) => {
      const requestId = await suite.approve({ connector, config: target.config('main', target.port), duration });
      const grant = await suite.grantIs(requestId, ['ACTIVE'], patience);
      return { requestId, grant, key: (await suite.jobIs(requestId, 'SUCCEEDED', patience)).id };
    };
    const read = async (grantId: string) => {
      const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId });
      return JSON.parse(credentialJson) as Record<string, unknown>;
    };

    /**
     * Has access that lasts for so long extended by an hour, and looks whether its holder gets in at any moment until its first end is over. Undefined
     * when that end came first.
     */
    const extendAndLook = async (seconds: number) => {
      const certainUntil = Date.now() + seconds * 1000 - slackMs;
      const requestId = await suite.approve({ connector, config: target.config('main', target.port), duration: `PT${seconds}S` });
      const grant = await until(() => suite.grant(requestId), { timeoutMs: patience, what: 'a grant' });
      const first = await read(grant.id).catch(() => undefined);
      if (!first) return undefined;
      await until(async () => Date.now() > certainUntil || target.letsIn(first), { timeoutMs: patience, what: 'access' });
      const extension = await suite.approve({ extendsRequestId: requestId, duration: 'PT1H' });
      for (let current = first; ; ) {
        const isBeyond = Date.now() > grant.expires_at.getTime() + 1000;
        const { status } = (await suite.job(extension, 'EXTEND')) ?? {};
        if (status === 'FAILED') return undefined;
        const isExtended = status === 'SUCCEEDED';
        if (renews && isExtended && current === first) current = await read(grant.id);
        const isIn = await target.letsIn(current);
        expect(isIn || (!isExtended && Date.now() > certainUntil)).toBe(true);
        if (isBeyond && isExtended) return { requestId, grant, first, current, key: (await suite.jobIs(requestId, 'SUCCEEDED')).id };
      }
    };

    /** Where the machine stands still for as long as access lasts, it is over before it is extended: then another lasts twice as long. */
    const extendInTime = async (seconds = firstSeconds): Promise<NonNullable<Awaited<ReturnType<typeof extendAndLook>>>> => {
      expect(seconds).toBeLessThan(10 * firstSeconds);
      return (await extendAndLook(seconds)) ?? extendInTime(2 * seconds);
    };

    test('when access is extended, then its holder gets in at any moment beyond the first end, and not after the last', {
      timeout: 5 * patience,
    }, async () => {
      const { requestId, grant, key, first, current } = await extendInTime();
      expect(current !== first).toBe(renews);
      await expect(read(grant.id)).rejects.toMatchObject({ code: 'CREDENTIAL_ALREADY_READ' });
      const extended = await suite.grantIs(requestId, ['ACTIVE']);
      expect(Number(extended.expires_at) - Number(grant.expires_at)).toBe(hour);
      const end = await target.endOf?.(key, current);
      expect(Math.abs(Number(end) - Number(extended.expires_at))).toBeLessThan(60_000);
      await suite.withdraw(requestId);
      await suite.grantIs(requestId, ['REVOKED'], patience);
      for (const credential of [first, current]) await until(async () => !(await target.letsIn(credential)), { timeoutMs: patience });
      expect(await target.objectsOf(key)).toEqual([]);
    });

    test('when access was taken away at the target, then nothing is extended, and the grant ends as it would have', async () => {
      const { requestId, grant, key } = await give('PT1H');
      await target.takeAway(key);
      const extension = await suite.approve({ extendsRequestId: requestId });
      const { status, last_error } = await until(
        async () => {
          const job = await suite.job(extension, 'EXTEND');
          return job && ['SUCCEEDED', 'FAILED'].includes(job.status) && job;
        },
        { timeoutMs: patience, what: 'an extension that is over' },
      );
      expect([status, last_error]).toEqual(['FAILED', 'The target does not have the access any more']);
      expect((await suite.grant(requestId))?.expires_at).toEqual(grant.expires_at);
      await suite.withdraw(requestId);
      await suite.grantIs(requestId, ['REVOKED'], patience);
      expect(await target.objectsOf(key)).toEqual([]);
    });
  });
};
