import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Suite, startSuite } from '../suite.ts';
import { prefixOf, type RealTarget, variablesOf } from './real-target.ts';

const patience = 90_000;
const hour = 3_600_000;

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

    test('when access is extended, then its holder gets in at any moment beyond the first end, and not after the last', async () => {
      const { requestId, grant, key } = await give('PT20S');
      const first = await read(grant.id);
      await until(() => target.letsIn(first), { timeoutMs: patience });
      const extension = await suite.approve({ extendsRequestId: requestId, duration: 'PT1H' });
      let current = first;
      while (Date.now() < grant.expires_at.getTime() + 1000) {
        expect(await target.letsIn(current)).toBe(true);
        const { status } = (await suite.job(extension, 'EXTEND')) ?? {};
        if (renews && current === first && status === 'SUCCEEDED') current = await read(grant.id);
      }
      expect(await suite.job(extension, 'EXTEND')).toMatchObject({ status: 'SUCCEEDED', attempts: 1 });
      expect(current !== first).toBe(renews);
      await expect(read(grant.id)).rejects.toMatchObject({ code: 'CREDENTIAL_ALREADY_READ' });
      const extended = await suite.grantIs(requestId, ['ACTIVE']);
      expect(Number(extended.expires_at) - Number(grant.expires_at)).toBe(hour);
      const end = await target.endOf?.(key, current);
      expect(Math.abs(Number(end) - Number(extended.expires_at))).toBeLessThan(20_000);
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
