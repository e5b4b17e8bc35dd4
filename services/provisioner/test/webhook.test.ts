import { randomBytes } from 'node:crypto';
import { newId } from '@accessops/db';
import { connect, Metadata, type ServiceClient } from '@accessops/grpc';
import { parseNetwork } from '@accessops/outbound';
import { ProvisionerService } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { mintPrincipal, until } from '@accessops/testing';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createWebhookConnector } from '../src/connectors/webhook/webhook.ts';
import { type Manner, type Receiver, startReceiver } from './receiver.ts';
import { type Suite, startSuite } from './suite.ts';

const patience = 60_000;
const secret = `whsec_${randomBytes(24).toString('base64')}`;

let receiver: Receiver;
let suite: Suite;
let service: ServiceClient<typeof ProvisionerService>;
beforeAll(async () => {
  receiver = await startReceiver(secret);
  const environment = {
    CONNECTOR_WEBHOOK_HR_SECRET: secret,
    CONNECTOR_WEBHOOK_HR_NETWORKS: '127.0.0.1/32',
    CONNECTOR_WEBHOOK_HR_TENANTS: 'acme',
    CONNECTOR_WEBHOOK_OUTSIDE_SECRET: secret,
    CONNECTOR_WEBHOOK_OUTSIDE_TENANTS: 'acme',
  };
  suite = await startSuite({ instances: 0, environment });
  const { address } = await suite.start();
  service = connect(ProvisionerService, address);
  await suite.tellSlug();
});
afterEach(() => {
  receiver.manner = 'at-once';
});
afterAll(async () => {
  service.close();
  await suite.close();
  await receiver.close();
});

const approve = (config: object = {}) => suite.approve({ connector: 'webhook', config: { login: 'hr', url: receiver.url(), ...config } });
const keyOf = async (requestId: string) => (await until(() => suite.job(requestId))).id;
const passwordOf = async (requestId: string) => {
  const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
  const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: id });
  return (JSON.parse(credentialJson) as { password: string }).password;
};
const answersKept = async () => Number((await suite.sql.query('select count(*) from job_answer')).rows[0].count);

interface Saying {
  data: object;
  key?: string;
  type?: string;
  by?: string;
  at?: Date;
  changed?: boolean;
}

/** Tells the provisioner as the gateway would when a signed message comes in. */
const say = async ({ data, key, type = 'access.answered', by = secret, at = new Date(), changed = false }: Saying) => {
  const body = JSON.stringify({ type, timestamp: at.toISOString(), data });
  const id = newId();
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(by).sign(id, at, body),
  };
  const metadata = new Metadata();
  metadata.set(
    'authorization',
    `Bearer ${await mintPrincipal({ type: 'anonymous', id: 'anonymous', tenantId: null, audience: 'public' })}`,
  );
  const payload = Buffer.from(changed ? body.replace('done', 'd0ne') : body);
  const about = key ?? String((data as { key: string }).key);
  return (await service.hearAnswer({ key: about, payload, headers }, { metadata, deadlineMs: patience })).outcome;
};
/** Waits until a job waits, and has it wait for long: nobody is to ask again in between. Answers which attempt has been promised something. */
const waits = async (requestId: string): Promise<number> => {
  const putOff = `update job set due_at = now() + interval '1 hour'
    where request_id = $1 and status = 'QUEUED' and waiting_since is not null returning attempts`;
  const { attempts } = await until(async () => (await suite.sql.query<{ attempts: number }>(putOff, [requestId])).rows[0], {
    timeoutMs: patience,
    what: 'a job that waits',
  });
  return attempts;
};

test('when the endpoint answers at once, then its credential is handed over, and access ends there too', async () => {
  const requestId = await approve();
  const key = await keyOf(requestId);
  expect(await passwordOf(requestId)).toBe(`secret-${key}-1`);
  const [asked] = receiver.heard.filter(({ data }) => data.key === key);
  expect(asked).toMatchObject({
    type: 'access.apply',
    id: `${key}_apply_1`,
    data: { tenant: 'acme', holderId: suite.requester.id, resource: 'staging-db', role: 'reader', durationSeconds: 3600 },
  });
  await suite.withdraw(requestId);
  await suite.grantIs(requestId, ['REVOKED']);
  expect(receiver.held.get(key)).toMatchObject({ present: false, timesGiven: 1 });
});

test('when it answers later, then the job waits without spending attempts, and what the signed answer brings is handed over once', async () => {
  receiver.manner = 'later';
  const requestId = await approve();
  const key = await keyOf(requestId);
  const attempt = await waits(requestId);
  expect(await suite.job(requestId)).toMatchObject({ status: 'QUEUED', last_error: 'The endpoint has taken it on and will tell' });
  const told = receiver.carryOut(key);
  expect(await say({ data: told })).toBe('ACCEPTED');
  expect(await passwordOf(requestId)).toBe(`secret-${key}-${attempt}`);
  expect(await say({ data: told })).toBe('STALE');
  expect(await answersKept()).toBe(0);
  await suite.withdraw(requestId);
  await until(() => receiver.heard.some(({ type, data }) => type === 'access.revoke' && data.key === key));
  expect((await suite.grant(requestId))?.status).toBe('REVOKING');
  expect(await say({ data: receiver.carryOut(key) })).toMatch(/ACCEPTED|STALE/);
  await suite.grantIs(requestId, ['REVOKED'], patience);
  const actions = await suite.actions(requestId);
  const askedAgain = Array.from({ length: attempt - 1 }, () => ['JOB_RESUMED', 'JOB_DEFERRED']).flat();
  const provisioned = ['JOB_QUEUED', 'JOB_STARTED', 'JOB_DEFERRED', ...askedAgain, 'JOB_ANSWERED', 'JOB_RESUMED', 'JOB_SUCCEEDED'];
  expect(actions.slice(0, provisioned.length)).toEqual(provisioned);
  expect(actions).not.toContain('GRANT_REVOKE_FAILED');
});

test('when the promised answer never comes, then the endpoint is asked again', async () => {
  receiver.manner = 'later';
  const requestId = await approve();
  const key = await keyOf(requestId);
  const attempt = await waits(requestId);
  receiver.carryOut(key);
  receiver.manner = 'at-once';
  await suite.sql.query(`update job set due_at = now() where id = $1`, [key]);
  expect(await passwordOf(requestId)).toBe(`secret-${key}-${attempt + 1}`);
  expect(receiver.held.get(key)).toMatchObject({ timesGiven: 1 });
});

test('when it has promised an answer for too long, then the job fails, and access is taken away in case it was given', async () => {
  receiver.manner = 'later';
  const requestId = await approve({ answerWithinHours: 1 });
  const key = await keyOf(requestId);
  await waits(requestId);
  receiver.carryOut(key);
  receiver.manner = 'at-once';
  await suite.sql.query(`update job set due_at = now(), waiting_since = now() - interval '61 minutes' where id = $1`, [key]);
  expect((await suite.jobIs(requestId, 'FAILED')).last_error).toBe('The endpoint has not told in time what came of it');
  expect(receiver.held.get(key)).toMatchObject({ present: false });
});

test('when it promises for minutes that access is over, then that is visible, and it is asked on until it is so', async () => {
  const requestId = await approve({ answerWithinHours: 720 });
  const key = await keyOf(requestId);
  await suite.grantIs(requestId, ['ACTIVE'], patience);
  receiver.manner = 'later';
  await suite.withdraw(requestId);
  const isAsked = (since: string) =>
    until(
      () =>
        suite.sql
          .query(
            `update job set due_at = now(), waiting_since = now() - $2::interval where request_id = $1 and kind = 'REVOKE' and status = 'QUEUED' and waiting_since is not null`,
            [requestId, since],
          )
          .then(({ rowCount }) => rowCount),
      { timeoutMs: patience, what: 'an end that is promised' },
    );
  await isAsked('1 minute');
  await isAsked('1 minute');
  expect(await suite.grant(requestId)).toMatchObject({ status: 'REVOKING' });
  await isAsked('5 minutes');
  await suite.grantIs(requestId, ['REVOKE_FAILED'], patience);
  receiver.carryOut(key);
  await isAsked('5 minutes');
  await suite.grantIs(requestId, ['REVOKED'], patience);
  expect((await suite.actions(requestId)).filter((action) => action === 'GRANT_REVOKE_FAILED')).toHaveLength(1);
});

test('when the later answer is a refusal, then the job fails and says why', async () => {
  receiver.manner = 'later';
  const requestId = await approve();
  const key = await keyOf(requestId);
  const attempt = await waits(requestId);
  receiver.manner = 'at-once';
  await say({ data: { key, attempt, outcome: 'refused', message: 'no such cost centre' } });
  expect((await suite.jobIs(requestId, 'FAILED')).last_error).toBe('The endpoint says: no such cost centre');
});

test('when a message is forged, changed, old, turned round or about something else, then it is refused', async () => {
  receiver.manner = 'later';
  const requestId = await approve();
  const key = await keyOf(requestId);
  const attempt = await waits(requestId);
  const data = { key, attempt, outcome: 'done', credential: { password: 'mine' } };
  const wrong: Saying[] = [
    { data, by: `whsec_${randomBytes(24).toString('base64')}` },
    { data, changed: true },
    { data, at: new Date(Date.now() - 6 * 60_000) },
    { data, at: new Date(Date.now() + 6 * 60_000) },
    { data, type: 'access.apply' },
    { data: { ...data, key: newId() }, key },
    { data: { ...data, key: newId() } },
    { data: { ...data, outcome: 'perhaps' } },
  ];
  for (const saying of wrong) await expect(say(saying)).rejects.toMatchObject({ code: 'WEBHOOK_SIGNATURE_INVALID' });
  expect(await say({ data: { ...data, attempt: attempt + 6 } })).toBe('STALE');
  expect(await answersKept()).toBe(0);
  expect((await suite.job(requestId))?.status).toBe('QUEUED');
});

test('when the access belongs to another connector, then nobody can answer for it', async () => {
  const requestId = await suite.approve();
  await suite.grantIs(requestId, ['ACTIVE']);
  const key = await keyOf(requestId);
  await expect(say({ data: { key, attempt: 1, outcome: 'done' } })).rejects.toMatchObject({ code: 'WEBHOOK_SIGNATURE_INVALID' });
});

test('when an answer holds a credential, then it is in no event, no log of the job, and nowhere once it has been taken', async () => {
  receiver.manner = 'later';
  const requestId = await approve();
  const key = await keyOf(requestId);
  const attempt = await waits(requestId);
  const password = `s3cret-${newId()}`;
  await say({ data: { key, attempt, outcome: 'done', credential: { password } } });
  expect(await passwordOf(requestId)).toBe(password);
  const { rows } = await suite.sql.query(
    `select convert_from(payload, 'LATIN1') as row from outbox_event union all select job::text from job union all select a::text from access_grant a`,
  );
  expect(rows.filter(({ row }) => String(row).includes(password))).toEqual([]);
  expect(await answersKept()).toBe(0);
});

test.each<[string, object, RegExp]>([
  ['an address that is not ours', { login: 'outside' }, /may not be called/],
  ['the cloud’s own address', { url: 'http://169.254.169.254/latest/meta-data' }, /may not be called/],
  ['no login', { login: 'other' }, /no login "other"/],
])('when the configuration names %s, then the job fails at once, and nothing was sent', async (_, config, text) => {
  const requestId = await approve(config);
  const job = await suite.jobIs(requestId, 'FAILED');
  expect(job.last_error).toMatch(text);
  expect(job.attempts).toBe(1);
  expect(receiver.heard.filter(({ data }) => data.key === job.id)).toEqual([]);
});

test('when the endpoint refuses, then the job fails at once, with its words', async () => {
  receiver.manner = 'refuses';
  const requestId = await approve();
  expect(await suite.jobIs(requestId, 'FAILED')).toMatchObject({
    last_error: 'The endpoint refuses (422): no such cost centre',
    attempts: 1,
  });
});

test('when the endpoint leads elsewhere, then it is not followed', async () => {
  receiver.manner = 'redirects';
  expect((await suite.jobIs(await approve(), 'FAILED')).last_error).toBe('The endpoint refuses (302)');
});

test.each<[string, Manner]>([
  ['talks nonsense', 'garbage'],
  ['breaks down', 'breaks'],
  ['is busy', 'busy'],
])('when the endpoint %s for a while, then its words stay inside, and nothing is given twice', { timeout: patience }, async (_, manner) => {
  receiver.manner = manner;
  const requestId = await approve();
  const key = await keyOf(requestId);
  const error = await until(async () => (await suite.job(requestId))?.last_error);
  expect(error).not.toContain('hunter2');
  receiver.manner = 'at-once';
  await suite.grantIs(requestId, ['ACTIVE'], patience);
  expect(receiver.held.get(key)).toMatchObject({ present: true, timesGiven: 1 });
});

test('when the endpoint breaks down at the end, then that is visible, tried again, and REVOKED only when it is over', {
  timeout: patience,
}, async () => {
  const requestId = await approve();
  const key = await keyOf(requestId);
  const { id } = await suite.grantIs(requestId, ['ACTIVE']);
  receiver.manner = 'breaks';
  await (await suite.as(suite.admin)).revokeGrant({ id });
  await suite.grantIs(requestId, ['REVOKE_FAILED'], patience);
  expect(receiver.held.get(key)).toMatchObject({ present: true });
  receiver.manner = 'at-once';
  await suite.grantIs(requestId, ['REVOKED'], patience);
  expect(receiver.held.get(key)).toMatchObject({ present: false });
});

test('when a connection is checked, then people read what to put right', async () => {
  const login = { name: 'hr', settings: { SECRET: secret, NETWORKS: [parseNetwork('127.0.0.1/32')] }, tenants: new Set(['acme']) };
  const connector = createWebhookConnector(new Map([['hr', login]]));
  const check = (config: object = {}, tenantSlug = 'acme') =>
    connector.check(
      { tenantId: newId(), tenantSlug, config: { login: 'hr', url: receiver.url(), ...config }, roles: ['reader'] },
      AbortSignal.timeout(patience),
    );
  expect(await check()).toEqual([]);
  expect(receiver.heard.findLast(({ type }) => type === 'access.check')).toMatchObject({ data: { tenant: 'acme', roles: ['reader'] } });
  expect(await check({}, 'globex')).toEqual([{ pointer: '/login', message: 'is no login that this organisation may use' }]);
  expect(await check({ url: 'http://127.0.0.1:1/' })).toEqual([{ pointer: '/url', message: 'The endpoint cannot be reached' }]);
  expect(await check({ url: 'http://10.0.0.1/' })).toEqual([{ pointer: '/url', message: 'The address may not be called' }]);
  receiver.manner = 'refuses';
  expect(await check()).toEqual([{ pointer: '/url', message: 'The endpoint refuses (422): no such cost centre' }]);
});

describe('when access is extended', () => {
  const extend = async (manner: Manner, during: (key: string) => Promise<unknown> = async () => undefined) => {
    const requestId = await approve();
    const key = await keyOf(requestId);
    const password = await passwordOf(requestId);
    const before = await suite.grant(requestId);
    receiver.manner = manner;
    const extension = await suite.approve({ extendsRequestId: requestId, duration: 'PT2H' });
    await during(key);
    const job = await until(
      async () => {
        const found = await suite.job(extension, 'EXTEND');
        return found && ['SUCCEEDED', 'FAILED'].includes(found.status) && found;
      },
      { timeoutMs: patience, what: 'an extension that is over' },
    );
    const grant = await suite.grant(requestId);
    return { requestId, key, password, job, movedMs: Number(grant?.expires_at) - Number(before?.expires_at) };
  };
  const answered = async (key: string, more: object) => {
    await until(() => receiver.heard.some(({ type, data }) => type === 'access.extend' && data.key === key));
    await until(async () => (await say({ data: { ...receiver.carryOut(key), ...more } })) !== 'STALE', { timeoutMs: patience });
  };
  const isKept = async (requestId: string, key: string, password: string) => {
    expect(receiver.held.get(key)).toMatchObject({ present: true, timesGiven: 1, password });
    await expect(passwordOf(requestId)).rejects.toMatchObject({ code: 'CREDENTIAL_ALREADY_READ' });
  };

  test('and the endpoint does that at once, then the credential stays, and the end moves there too', async () => {
    const { requestId, key, password, job, movedMs } = await extend('at-once');
    expect([job.status, movedMs]).toEqual(['SUCCEEDED', 7_200_000]);
    const asked = receiver.heard.find(({ type, data }) => type === 'access.extend' && data.key === key);
    expect(Math.abs(Number(asked?.data.durationSeconds) - 3 * 3600)).toBeLessThan(60);
    await isKept(requestId, key, password);
    await suite.withdraw(requestId);
    await suite.grantIs(requestId, ['REVOKED'], patience);
  });

  test('and the endpoint tells later, then the end moves once it has told, and the credential stays', async () => {
    const { requestId, key, password, job, movedMs } = await extend('later', async (about) => {
      await answered(about, {});
      receiver.manner = 'at-once';
    });
    expect([job.status, movedMs]).toEqual(['SUCCEEDED', 7_200_000]);
    await isKept(requestId, key, password);
  });

  test('and the endpoint answers another credential, then that can be read, once', async () => {
    const { requestId, job } = await extend('later', (about) => answered(about, { credential: { password: 'another' } }));
    expect(job.status).toBe('SUCCEEDED');
    expect(await passwordOf(requestId)).toBe('another');
    await expect(passwordOf(requestId)).rejects.toMatchObject({ code: 'CREDENTIAL_ALREADY_READ' });
  });

  test('and the endpoint refuses, then the access ends as it would have', async () => {
    const { requestId, key, password, job, movedMs } = await extend('refuses');
    expect([job.status, job.last_error, movedMs]).toEqual(['FAILED', 'The endpoint refuses (422): no such cost centre', 0]);
    await isKept(requestId, key, password);
  });
});
