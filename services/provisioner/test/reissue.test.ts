import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { gated } from './gate.ts';
import { person, type Suite, startSuite } from './suite.ts';
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
afterEach(() => suite.gate.open());
afterAll(async () => {
  await suite.close();
  await target.drop();
});

const activeGrant = async (settings: Parameters<Suite['approve']>[0] = {}) => {
  const requestId = await suite.approve(settings);
  return { requestId, ...(await suite.grantIs(requestId, ['ACTIVE'], patience)) };
};
const holder = () => suite.as(suite.requester);
const codeOf = (result: PromiseSettledResult<unknown>) => (result.status === 'rejected' ? result.reason.code : 'ok');
const rotationIs = (id: string, ...statuses: string[]) =>
  until(
    async () => {
      const { rows } = await suite.sql.query('select * from job where id = $1', [id]);
      return rows[0] && statuses.includes(rows[0].status) && rows[0];
    },
    { timeoutMs: patience, what: `a rotation that is ${statuses.join(' or ')}` },
  );
const passwordOf = (credentialJson: string): string => JSON.parse(credentialJson).password;
/** Whether this is what the simulated target lets in. */
const isGood = async (requestId: string, password: string) =>
  (
    await suite.sql.query(
      'select 1 from simulated_target where key = $1 and present and times_created = 1 and password_digest = sha256($2)',
      [(await suite.job(requestId))?.id, Buffer.from(password)],
    )
  ).rowCount === 1;
/** What a resource type says is in the grant: from now on the target behaves like this. */
const behave = (grantId: string, config: object) =>
  suite.sql.query(`update access_grant set access = jsonb_set(access, '{config}', $2) where id = $1`, [grantId, JSON.stringify(config)]);
/** Nothing is left of a grant that has ended: no access, no credential, no unfinished job. */
const isOver = async ({ id, requestId }: { id: string; requestId: string }) => {
  await suite.grantIs(requestId, ['REVOKED', 'EXPIRED'], patience);
  expect(await suite.target((await suite.job(requestId))?.id ?? '')).toMatchObject({ present: false, times_created: 1 });
  const { rows } = await suite.sql.query(
    `select num_nonnulls(key_id, data_key, iv, ciphertext, tag) as left,
       (select count(*)::int from job where grant_id = $1 and status in ('QUEUED', 'RUNNING')) as jobs from credential where grant_id = $1`,
    [id],
  );
  expect(rows[0]).toEqual({ left: 0, jobs: 0 });
};

test('when an unread credential is issued anew, then the target lets in with the new one alone, which is read once', async () => {
  const { id, requestId } = await activeGrant(gated);
  const client = await holder();
  suite.gate.close();
  const job = await client.reissueCredential({ grantId: id });
  expect(job).toMatchObject({ kind: 'ROTATE', status: 'QUEUED', grantId: id, requestId, maxAttempts: 5 });
  await expect(client.readCredential({ grantId: id })).rejects.toMatchObject({ code: 'CREDENTIAL_BEING_REISSUED' });
  suite.gate.open();
  await rotationIs(job.id, 'SUCCEEDED');
  const { credentialJson } = await client.readCredential({ grantId: id });
  expect(await isGood(requestId, passwordOf(credentialJson))).toBe(true);
  await expect(client.readCredential({ grantId: id })).rejects.toMatchObject({ code: 'CREDENTIAL_ALREADY_READ' });
  await expect(client.reissueCredential({ grantId: id })).rejects.toMatchObject({ code: 'CREDENTIAL_ALREADY_READ' });
  expect((await suite.actions(requestId)).slice(4)).toEqual([
    'JOB_QUEUED',
    'CREDENTIAL_REISSUE_REQUESTED',
    'JOB_STARTED',
    'JOB_SUCCEEDED',
    'CREDENTIAL_REISSUED',
    'CREDENTIAL_READ',
  ]);
  await client.revokeGrant({ id });
  await isOver({ id, requestId });
});

test('when somebody else asks, or the access is over, then nothing is issued', async () => {
  const { id, requestId } = await activeGrant();
  for (const other of [suite.admin, person(suite.tenantId, 'requester')]) {
    await expect((await suite.as(other)).reissueCredential({ grantId: id })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  }
  const stranger = await suite.as(person(newId(), 'admin'));
  await expect(stranger.reissueCredential({ grantId: id })).rejects.toMatchObject({ code: 'GRANT_NOT_FOUND' });
  const client = await holder();
  await client.revokeGrant({ id });
  await expect(client.reissueCredential({ grantId: id })).rejects.toMatchObject({ code: 'GRANT_NOT_ACTIVE' });
  await suite.sql.query(`update access_grant set status = 'ACTIVE', expires_at = now() - interval '1 second' where id = $1`, [id]);
  await expect(client.reissueCredential({ grantId: id })).rejects.toMatchObject({ code: 'GRANT_NOT_ACTIVE' });
  await suite.grantIs(requestId, ['EXPIRED', 'REVOKED'], patience);
});

test('when it is asked for many times at once, then one job does it', async () => {
  const { id } = await activeGrant(gated);
  const client = await holder();
  suite.gate.close();
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => client.reissueCredential({ grantId: id })));
  expect(results.map(codeOf).sort()).toEqual([...Array(7).fill('CREDENTIAL_BEING_REISSUED'), 'ok']);
});

test('when it is asked for while the credential is read, then whichever was first counts, and what was read lets in', async () => {
  const client = await holder();
  const round = async () => {
    const { id, requestId } = await activeGrant();
    const [read, reissued] = await Promise.allSettled([client.readCredential({ grantId: id }), client.reissueCredential({ grantId: id })]);
    if (reissued.status === 'fulfilled') await rotationIs(reissued.value.id, 'SUCCEEDED');
    const { credentialJson } = read.status === 'fulfilled' ? read.value : await client.readCredential({ grantId: id });
    expect(await isGood(requestId, passwordOf(credentialJson))).toBe(true);
    const lost = read.status === 'fulfilled' ? reissued : read;
    // Both have worked when the new one was there before it was read: the former one would not let in.
    expect(['ok', 'CREDENTIAL_ALREADY_READ', 'CREDENTIAL_BEING_REISSUED', 'CREDENTIAL_LOST']).toContain(codeOf(lost));
  };
  for (let n = 0; n < 6; n++) await Promise.all(Array.from({ length: 5 }, round));
}, 180_000);

test('when access ends at the same moment, then it has ended, and nothing brings it back', async () => {
  const client = await holder();
  const round = async (n: number) => {
    const expires = n % 3 === 0;
    const grant = await activeGrant();
    await behave(grant.id, { latencyMs: (n % 5) * 60, answerLatencyMs: (n % 4) * 60 });
    if (expires) await suite.endsIn(grant.id, (n % 10) * 40);
    const [, reissued] = await Promise.allSettled([
      expires ? undefined : client.revokeGrant({ id: grant.id }),
      client.reissueCredential({ grantId: grant.id }),
    ]);
    if (reissued.status === 'fulfilled') await rotationIs(reissued.value.id, 'SUCCEEDED', 'FAILED');
    await isOver(grant);
    expect((await suite.actions(grant.requestId)).filter((action) => action === 'GRANT_REVOCATION_STARTED')).toHaveLength(1);
  };
  for (let n = 0; n < 30; n += 6) await Promise.all(Array.from({ length: 6 }, (_, more) => round(n + more)));
}, 180_000);

test('when a worker is at the target as the access ends, then the end waits for it, and not longer', async () => {
  const grant = await activeGrant(gated);
  const client = await holder();
  suite.gate.close();
  const job = await client.reissueCredential({ grantId: grant.id });
  await rotationIs(job.id, 'RUNNING');
  await client.revokeGrant({ id: grant.id });
  expect(await rotationIs(job.id, 'FAILED')).toMatchObject({ last_error: 'The access has ended meanwhile' });
  // Who was asked for later has it: there would have been time to begin.
  await suite.grantIs(await suite.approve(), ['ACTIVE']);
  expect(await suite.job(grant.requestId, 'REVOKE')).toMatchObject({ status: 'QUEUED', attempts: 0 });
  suite.gate.open();
  await isOver(grant);
});

test('when the target cannot do it, then there is no credential, the access stays, and the holder asks again', async () => {
  const { id, requestId } = await activeGrant();
  const client = await holder();
  await behave(id, { alwaysFail: true });
  const job = await client.reissueCredential({ grantId: id });
  expect(await rotationIs(job.id, 'FAILED')).toMatchObject({ attempts: 5 });
  await expect(client.readCredential({ grantId: id })).rejects.toMatchObject({ code: 'CREDENTIAL_LOST' });
  await expect((await suite.as(suite.admin)).retryJob({ id: job.id })).rejects.toMatchObject({ code: 'JOB_NOT_FAILED' });
  expect(await suite.grant(requestId)).toMatchObject({ status: 'ACTIVE' });
  await behave(id, {});
  await rotationIs((await client.reissueCredential({ grantId: id })).id, 'SUCCEEDED');
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES+A256KW');
  const { jwe } = await client.readCredential({ grantId: id, publicKeyJson: JSON.stringify(await exportJWK(publicKey)) });
  const { plaintext } = await compactDecrypt(jwe, privateKey);
  expect(await isGood(requestId, passwordOf(new TextDecoder().decode(plaintext)))).toBe(true);
});

test('when a database gives the access, then the former password is refused there and the new one logs in, also after many times', async () => {
  const { id } = await activeGrant({ connector: 'postgres', config: { login: 'prod', roles: { reader: [target.roles.reader] } } });
  const client = await holder();
  // Read out of turn: what was sealed first is what must not work any more.
  const first = await (async () => {
    const { credentialJson } = await client.readCredential({ grantId: id });
    await suite.sql.query('update credential set read_at = null where grant_id = $1', [id]);
    return JSON.parse(credentialJson);
  })();
  await (await logIn(first)).end();
  for (let round = 0; round < 3; round++) await rotationIs((await client.reissueCredential({ grantId: id })).id, 'SUCCEEDED');
  await expect(logIn(first)).rejects.toMatchObject({ code: '28P01' });
  const second = JSON.parse((await client.readCredential({ grantId: id })).credentialJson);
  expect(second.username).toBe(first.username);
  const session = await logIn(second);
  await session.query('select * from customer');
  await session.end();
  await client.revokeGrant({ id });
  await until(
    () =>
      logIn(second).then(
        async (one) => {
          await one.end();
          return false;
        },
        () => true,
      ),
    { timeoutMs: patience, what: 'a login that is refused' },
  );
});
