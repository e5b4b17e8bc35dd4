import { RequestWithdrawnSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Suite, startSuite } from './suite.ts';
import { createTargetDatabase, logIn, type TargetDatabase } from './target.ts';

const patience = 60_000;

let suite: Suite;
let target: TargetDatabase;
beforeAll(async () => {
  target = await createTargetDatabase();
  const environment = { CONNECTOR_POSTGRES_PROD_URL: target.url(), CONNECTOR_POSTGRES_PROD_TENANTS: 'acme' };
  // Whatever waits for a lease to run out, when it need not, waits for too long here.
  suite = await startSuite({ environment, overrides: { worker: { leaseMs: 120_000 } } });
  await suite.tellSlug();
});
afterAll(async () => {
  await suite.close();
  await target.drop();
});

const activeGrant = async (settings: Parameters<Suite['approve']>[0] = {}) => {
  const requestId = await suite.approve(settings);
  return { requestId, ...(await suite.grantIs(requestId, ['ACTIVE'], patience)) };
};
const extensionIs = (requestId: string, ...statuses: string[]) =>
  until(
    async () => {
      const job = await suite.job(requestId, 'EXTEND');
      return job && statuses.includes(job.status) && job;
    },
    { timeoutMs: patience, what: `an extension that is ${statuses.join(' or ')}` },
  );
/** What a resource type says is in the grant: from now on the target behaves like this. */
const behave = (grantId: string, config: object) =>
  suite.sql.query(`update access_grant set access = jsonb_set(access, '{config}', $2) where id = $1`, [grantId, JSON.stringify(config)]);
const endOf = async (requestId: string) => (await suite.grant(requestId))?.expires_at.getTime() ?? 0;
const isGone = async (requestId: string) =>
  expect(await suite.target((await suite.job(requestId))?.id ?? '')).toMatchObject({ present: false, times_created: 1 });

test('when an extension is approved, then the same grant ends that much later, once, and tells of it', async () => {
  const { id, requestId, expires_at } = await activeGrant();
  const extension = await suite.approve({ extendsRequestId: requestId, duration: 'PT2H' });
  const job = await extensionIs(extension, 'SUCCEEDED');
  expect(job).toMatchObject({ grant_id: id });
  expect((await endOf(requestId)) - expires_at.getTime()).toBe(7_200_000);
  expect(await suite.grant(extension)).toBeUndefined();
  expect((await suite.actions(requestId)).slice(4)).toEqual(['GRANT_EXTENDED']);
  expect(await suite.actions(extension)).toEqual(['JOB_QUEUED', 'JOB_STARTED', 'JOB_SUCCEEDED']);
  const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: id });
  const { rowCount } = await suite.sql.query('select 1 from simulated_target where key = $1 and password_digest = sha256($2)', [
    (await suite.job(requestId))?.id,
    Buffer.from(JSON.parse(credentialJson).password),
  ]);
  expect(rowCount).toBe(1);
  await suite.tell('requests', RequestWithdrawnSchema, { requestId: extension, grantId: id }, { aggregateId: extension });
  expect(await suite.grantIs(requestId, ['REVOKED'])).toMatchObject({ end_reason: 'WITHDRAWN' });
});

/**
 * Access to a database that lasts for seconds and is extended by an hour before they are over. Where the machine stands still meanwhile, the end
 * comes first: then another one lasts twice as long.
 */
const extendedInTime = async () => {
  const config = { login: 'prod', roles: { reader: [target.roles.reader] } };
  for (let seconds = 5; ; seconds *= 2) {
    const requestId = await suite.approve({ connector: 'postgres', duration: `PT${seconds}S`, config });
    const { id, expires_at } = await until(() => suite.grant(requestId), { timeoutMs: patience, what: 'a grant' });
    const holder = await suite.as(suite.requester);
    const credential = await holder.readCredential({ grantId: id }).then(
      ({ credentialJson }) => JSON.parse(credentialJson),
      () => undefined,
    );
    const session = credential && (await logIn(credential).catch(() => undefined));
    const extension = await suite.approve({ extendsRequestId: requestId, duration: 'PT1H' });
    const { status } = await extensionIs(extension, 'SUCCEEDED', 'FAILED');
    if (session && status === 'SUCCEEDED') return { id, requestId, expires_at, credential, session };
    expect(seconds).toBeLessThan(60);
    await session?.end();
  }
};

test('when a database is extended, then a session and the password go on beyond the first end, and both end after the second', {
  timeout: 180_000,
}, async () => {
  const { id, requestId, expires_at, credential, session } = await extendedInTime();
  await until(() => Date.now() > expires_at.getTime() + 500, { timeoutMs: patience });
  expect((await session.query('select * from customer')).command).toBe('SELECT');
  await (await logIn(credential)).end();
  const extended = await suite.grantIs(requestId, ['ACTIVE']);
  expect(extended.expires_at.getTime() - expires_at.getTime()).toBe(3_600_000);
  await suite.endsIn(id, 0);
  await suite.grantIs(requestId, ['EXPIRED'], patience);
  await expect(logIn(credential)).rejects.toMatchObject({ code: '28P01' });
  await expect(session.query('select 1')).rejects.toThrow();
});

test('when the access has ended before, then the extension fails, says why, and brings nothing back, however often it is tried', async () => {
  const { id, requestId } = await activeGrant();
  const admin = await suite.as(suite.admin);
  await admin.revokeGrant({ id });
  const extension = await suite.approve({ extendsRequestId: requestId });
  const { id: jobId } = await extensionIs(extension, 'FAILED');
  expect(await suite.job(extension, 'EXTEND')).toMatchObject({ last_error: 'The access has ended' });
  await admin.retryJob({ id: jobId });
  await until(async () => (await suite.actions(extension)).filter((action) => action === 'JOB_FAILED').length === 2);
  await suite.grantIs(requestId, ['REVOKED'], patience);
  await isGone(requestId);
});

test('when the target cannot do it, then the access ends as it would have, and an admin can have it tried again', async () => {
  const { id, requestId, expires_at } = await activeGrant();
  await behave(id, { alwaysFail: true });
  const extension = await suite.approve({ extendsRequestId: requestId });
  const { id: jobId } = await extensionIs(extension, 'FAILED');
  expect([await endOf(requestId), (await suite.grant(requestId))?.status]).toEqual([expires_at.getTime(), 'ACTIVE']);
  await suite.sql.query(`update job set spec = jsonb_set(spec, '{config}', '{}') where id = $1`, [jobId]);
  await (await suite.as(suite.admin)).retryJob({ id: jobId });
  await extensionIs(extension, 'SUCCEEDED');
  expect((await endOf(requestId)) - expires_at.getTime()).toBe(3_600_000);
});

test('when the credential is issued anew meanwhile, then neither is lost', async () => {
  const round = async (n: number) => {
    const { id, requestId, expires_at } = await activeGrant();
    const client = await suite.as(suite.requester);
    await behave(id, { latencyMs: (n % 4) * 40, answerLatencyMs: (n % 3) * 40 });
    const [extension] = await Promise.all([suite.approve({ extendsRequestId: requestId }), client.reissueCredential({ grantId: id })]);
    await extensionIs(extension, 'SUCCEEDED');
    const { credentialJson } = await until(() => client.readCredential({ grantId: id }).catch(() => false as const), {
      timeoutMs: patience,
    });
    const { rowCount } = await suite.sql.query('select 1 from simulated_target where key = $1 and password_digest = sha256($2)', [
      (await suite.job(requestId))?.id,
      Buffer.from(JSON.parse(credentialJson).password),
    ]);
    expect([rowCount, (await endOf(requestId)) - expires_at.getTime()]).toEqual([1, 3_600_000]);
  };
  for (let n = 0; n < 12; n += 4) await Promise.all(Array.from({ length: 4 }, (_, more) => round(n + more)));
}, 180_000);

test('when access ends at the same moment, then one of both counts, and never is there access without a grant', async () => {
  const round = async (n: number) => {
    const expires = n % 2 === 0;
    const { id, requestId, ...given } = await activeGrant();
    await behave(id, { latencyMs: (n % 5) * 50, answerLatencyMs: (n % 4) * 50 });
    const expires_at = expires ? await suite.endsIn(id, (n % 8) * 150) : given.expires_at;
    const [extension] = await Promise.all([
      suite.approve({ extendsRequestId: requestId, duration: 'PT2S' }),
      expires ? undefined : (await suite.as(suite.admin)).revokeGrant({ id }),
    ]);
    const { status, last_error } = await extensionIs(extension, 'SUCCEEDED', 'FAILED');
    const ended = await suite.grantIs(requestId, ['EXPIRED', 'REVOKED'], patience);
    const moved = ended.expires_at.getTime() - expires_at.getTime();
    expect([status, moved]).toEqual(status === 'SUCCEEDED' ? ['SUCCEEDED', 2000] : ['FAILED', 0]);
    expect(status === 'SUCCEEDED' || last_error?.startsWith('The access ha')).toBe(true);
    expect(ended.ended_at?.getTime() ?? 0).toBeGreaterThanOrEqual(expires ? ended.expires_at.getTime() : 0);
    await isGone(requestId);
  };
  for (let n = 0; n < 40; n += 8) await Promise.all(Array.from({ length: 8 }, (_, more) => round(n + more)));
}, 240_000);
