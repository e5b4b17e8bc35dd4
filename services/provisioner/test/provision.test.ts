import { newId } from '@accessops/db';
import { RequestApprovedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { person, type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

test('when a request is approved, then one job provisions it and the grant is active for its duration', async () => {
  const requestId = await suite.approve({ duration: 'PT2H' });
  const grant = await suite.grantIs(requestId, ['ACTIVE']);
  const job = await suite.jobIs(requestId, 'SUCCEEDED');
  expect(job).toMatchObject({ attempts: 1, grant_id: grant.id });
  expect(await suite.target(job.id)).toMatchObject({ present: true, times_created: 1 });
  expect(await suite.actions(requestId)).toEqual(['JOB_QUEUED', 'JOB_STARTED', 'JOB_SUCCEEDED', 'GRANT_ACTIVATED']);
  const mine = await (await suite.as(suite.requester)).getGrant({ id: grant.id });
  expect(Number(mine.expiresAt?.seconds) - Number(mine.activatedAt?.seconds)).toBe(7200);
});

test('when the approval is told many times, then there is one job, one grant and one effect', async () => {
  const requestId = newId();
  const event = { requestId, requesterId: suite.requester.id, resourceId: newId(), resourceKey: 'x', role: 'reader', duration: 'PT1H' };
  const tell = (eventId: string) =>
    suite.tell('requests', RequestApprovedSchema, { ...event, connector: 'simulated' }, { aggregateId: requestId, eventId });
  const again = newId();
  await Promise.all([tell(again), tell(again), tell(newId()), tell(newId())]);
  await suite.grantIs(requestId, ['ACTIVE']);
  await tell(again);
  const marker = await suite.approve();
  await suite.grantIs(marker, ['ACTIVE']);
  const { rows } = await suite.sql.query('select id from job where request_id = $1', [requestId]);
  expect(rows).toHaveLength(1);
  expect(await suite.target(rows[0].id)).toMatchObject({ present: true, times_created: 1 });
  expect(await suite.actions(requestId)).toEqual(['JOB_QUEUED', 'JOB_STARTED', 'JOB_SUCCEEDED', 'GRANT_ACTIVATED']);
});

test('when identity tells that a request was approved, by whatever name, then nothing comes of it', async () => {
  const [requestId, disguised] = [newId(), newId()];
  const approved = { requesterId: suite.requester.id, resourceId: newId(), resourceKey: 'x', role: 'reader', duration: 'PT1H' };
  const tell = (of: string, as?: string) =>
    suite.tell('identity', RequestApprovedSchema, { ...approved, requestId: of, connector: 'simulated' }, { aggregateId: of, as });
  await tell(requestId);
  await tell(disguised, 'TenantUpdated');
  const parked = await until(async () => {
    const { rows } = await suite.sql.query('select error, status from dead_letter where subject like $1', ['%.identity.%']);
    return rows.length > 0 && rows;
  });
  expect(parked).toEqual([{ error: 'its type is not TenantUpdated, as its subject says', status: 'PARKED' }]);
  await suite.grantIs(await suite.approve(), ['ACTIVE']);
  expect([await suite.job(requestId), await suite.job(disguised)]).toEqual([undefined, undefined]);
});

test('when the first attempt fails, then the next one succeeds and every step is told', async () => {
  const requestId = await suite.approve({ config: { failFirst: 1 } });
  await suite.grantIs(requestId, ['ACTIVE']);
  expect(await suite.job(requestId)).toMatchObject({ status: 'SUCCEEDED', attempts: 2 });
  expect(await suite.actions(requestId)).toEqual([
    'JOB_QUEUED',
    'JOB_STARTED',
    'JOB_RETRY_SCHEDULED',
    'JOB_RESUMED',
    'JOB_SUCCEEDED',
    'GRANT_ACTIVATED',
  ]);
});

test.concurrent('when the target always refuses, then the job fails after its last attempt', async () => {
  const requestId = await suite.approve({ config: { alwaysFail: true } });
  const job = await suite.jobIs(requestId, 'FAILED', 50_000);
  expect(job).toMatchObject({ attempts: 5, last_error: 'The simulated target always refuses' });
  const actions = await suite.actions(requestId);
  expect(actions.at(-1)).toBe('JOB_FAILED');
  expect(actions.filter((action) => action === 'JOB_STARTED')).toHaveLength(1);
  expect(await suite.grant(requestId)).toBeUndefined();
});

test.concurrent('when the answer of the target is lost on every attempt, then nothing is left there once the job has failed', async () => {
  const requestId = await suite.approve({ config: { failAfterApplyFirst: 5 } });
  const job = await suite.jobIs(requestId, 'FAILED', 50_000);
  expect(await suite.target(job.id)).toMatchObject({ present: false, times_created: 1 });
});

test.concurrent('when clearing up fails as well, then it is tried until it works, and only then the job fails', async () => {
  const requestId = await suite.approve({ config: { failAfterApplyFirst: 5, failRevokeFirst: 5 } });
  const job = await suite.jobIs(requestId, 'FAILED', 50_000);
  expect(job.attempts).toBe(6);
  expect(await suite.target(job.id)).toMatchObject({ present: false });
  expect(await (await suite.as(suite.admin)).getJob({ id: job.id })).toMatchObject({ attempts: 5, maxAttempts: 5 });
});

test.concurrent('when there is no such connector, then the job fails at once', async () => {
  const requestId = await suite.approve({ connector: 'carrier-pigeon' });
  expect(await suite.jobIs(requestId, 'FAILED')).toMatchObject({ attempts: 1, last_error: 'There is no connector "carrier-pigeon"' });
});

test.concurrent('when the configuration makes no sense, then the job fails at once and says where', async () => {
  const requestId = await suite.approve({ config: { latencyMs: -1 } });
  expect((await suite.jobIs(requestId, 'FAILED')).last_error).toMatch(/latencyMs/);
});

test.concurrent('when the duration is none, then the event is parked and others flow on', async () => {
  const requestId = await suite.approve({ duration: 'a while' });
  await suite.grantIs(await suite.approve(), ['ACTIVE']);
  await until(async () => (await suite.sql.query('select 1 from dead_letter where payload::text is not null')).rowCount);
  expect(await suite.job(requestId)).toBeUndefined();
});

test('when the requester was deactivated before, then nothing is provisioned', async () => {
  const requester = person(suite.tenantId, 'requester');
  await suite.tellUser(requester, false, 2);
  await until(async () => (await suite.sql.query('select 1 from holder where user_id = $1', [requester.id])).rowCount);
  const requestId = await suite.approve({ requester });
  const job = await suite.jobIs(requestId, 'FAILED');
  expect(job.last_error).toBe('The requester has been deactivated');
  expect(await suite.target(job.id)).toMatchObject({ times_created: 0 });
});
