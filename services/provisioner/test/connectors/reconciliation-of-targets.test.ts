import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Suite, startSuite } from '../suite.ts';
import { startKubernetes } from '../targets/kubernetes.ts';
import { startOpentofu } from '../targets/opentofu.ts';
import { startPostgres } from '../targets/postgres.ts';
import { prefixOf, type RealTarget, variablesOf } from '../targets/real-target.ts';
import { startS3 } from '../targets/s3.ts';
import { startSsh } from '../targets/ssh.ts';
import { startWebhook } from '../targets/webhook.ts';

const patience = 60_000;
const targets = (await Promise.all([startPostgres(), startS3(), startKubernetes(), startSsh(), startWebhook(), startOpentofu()])).filter(
  (target) => target !== undefined,
);

let suite: Suite;
beforeAll(async () => {
  const logins = targets.map(({ connector, login, port }) => variablesOf(prefixOf[connector] ?? '', 'main', login(port)));
  const environment = Object.assign({}, ...logins) as Record<string, string>;
  suite = await startSuite({ environment, overrides: { reconciler: { pollMs: 50, pauseMs: 100, deadlineMs: patience } } });
  await suite.tellSlug();
});
afterAll(async () => {
  await suite.close();
  for (const target of targets) await target.close();
});

const give = async ({ connector, config, port }: RealTarget, resourceId: string) => {
  const requestId = await suite.approve({ connector, resourceId, config: config('main', port) });
  const { id: grantId } = await suite.grantIs(requestId, ['ACTIVE'], patience);
  return { requestId, grantId, key: (await suite.jobIs(requestId, 'SUCCEEDED')).id };
};
const credentialOf = async (grantId: string) => {
  const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId });
  return JSON.parse(credentialJson) as Record<string, unknown>;
};
const reconcile = async (resourceId: string) => {
  const client = await suite.as(suite.admin);
  const { id } = await client.reconcileResource({ resourceId });
  return until(
    async () => {
      const report = await client.getDrift({ resourceId });
      return report.id === id && !['QUEUED', 'RUNNING'].includes(report.status) && report;
    },
    { timeoutMs: patience, what: 'a report' },
  );
};
const jobsAreOver = (requestId: string) =>
  until(
    async () => {
      const text = `select from job where request_id = $1 and status in ('QUEUED', 'RUNNING')`;
      return (await suite.sql.query(text, [requestId])).rowCount === 0;
    },
    { timeoutMs: patience, what: 'jobs that are over' },
  );

describe.each(targets)('$connector', { timeout: patience * 2 }, (target) => {
  test('when access was taken away by hand, then it comes back, with a credential that lets in', async () => {
    const resourceId = newId();
    const { requestId, grantId, key } = await give(target, resourceId);
    const before = await target.objectsOf(key);
    expect(await reconcile(resourceId)).toMatchObject({ status: 'SUCCEEDED', missing: [], surplus: [] });
    await target.takeAway(key);
    expect((await reconcile(resourceId)).missing).toMatchObject([{ grantId }]);
    await jobsAreOver(requestId);
    expect(await target.objectsOf(key)).toEqual(before);
    const credential = await credentialOf(grantId);
    await until(() => target.letsIn(credential), { timeoutMs: patience });
    expect(await reconcile(resourceId)).toMatchObject({ missing: [], surplus: [] });
    await suite.withdraw(requestId);
    await suite.grantIs(requestId, ['REVOKED'], patience);
    expect(await target.objectsOf(key)).toEqual([]);
  });

  test('when something is there of access that has ended, then it is taken away, and what others have is left alone', async () => {
    const resourceId = newId();
    const [ended, kept] = await Promise.all([give(target, resourceId), give(target, resourceId)]);
    const credential = await credentialOf(kept.grantId);
    await suite.withdraw(ended.requestId);
    await suite.grantIs(ended.requestId, ['REVOKED'], patience);
    await target.leave(ended.key);
    const other = await target.giveToOther();
    const report = await reconcile(resourceId);
    expect(report).toMatchObject({ status: 'SUCCEEDED', missing: [] });
    expect(new Set(report.surplus.map(({ key }) => key))).toEqual(new Set([ended.key]));
    expect(report.foreign.map(({ name }) => name)).toContain(other);
    await jobsAreOver(ended.requestId);
    expect(await target.objectsOf(ended.key)).toEqual([]);
    await until(() => target.letsIn(credential), { timeoutMs: patience });
    const again = await reconcile(resourceId);
    expect(again).toMatchObject({ missing: [], surplus: [] });
    expect(again.foreign.map(({ name }) => name)).toContain(other);
  });
});
