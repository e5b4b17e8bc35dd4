import { newId } from '@accessops/db';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gated } from './gate.ts';
import { person, type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const failedJob = async () => {
  const requestId = await suite.approve({ connector: 'missing' });
  return { requestId, ...(await suite.jobIs(requestId, 'FAILED')) };
};

test('when an admin retries a failed job, then it gets as many attempts again and what follows is of that call', async () => {
  const requestId = await suite.approve({ config: { failFirst: 6 } });
  const { id } = await suite.jobIs(requestId, 'FAILED', 50_000);
  const admin = await suite.as(suite.admin);
  expect(await admin.retryJob({ id })).toMatchObject({ status: 'QUEUED', attempts: 5, maxAttempts: 10 });
  await suite.grantIs(requestId, ['ACTIVE']);
  expect(await suite.job(requestId)).toMatchObject({ status: 'SUCCEEDED', attempts: 7, origin: { requestId: 'call' } });
  const actions = await suite.actions(requestId);
  expect(actions.slice(actions.indexOf('JOB_FAILED'))).toEqual([
    'JOB_FAILED',
    'JOB_RETRIED',
    'JOB_RESUMED',
    'JOB_RETRY_SCHEDULED',
    'JOB_RESUMED',
    'JOB_SUCCEEDED',
    'GRANT_ACTIVATED',
  ]);
});

test('when several admins retry at once, then one of them does', async () => {
  const { id, requestId } = await failedJob();
  const admin = await suite.as(suite.admin);
  // Tried again, it takes until all have asked.
  suite.gate.close();
  await suite.sql.query('update job set spec = spec || $2 where id = $1', [id, { connector: 'simulated', ...gated }]);
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => admin.retryJob({ id })));
  suite.gate.open();
  const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : 'ok'));
  expect(codes.sort()).toEqual([...Array(4).fill('JOB_NOT_FAILED'), 'ok']);
  await suite.grantIs(requestId, ['ACTIVE']);
  expect((await suite.actions(requestId)).filter((action) => action === 'JOB_RETRIED')).toHaveLength(1);
});

test('when a call is repeated under its Idempotency-Key, then the job is retried once', async () => {
  const { id, requestId } = await failedJob();
  const admin = await suite.as(suite.admin, { 'idempotency-key': `POST%20${id}`, 'idempotency-fingerprint': 'same' });
  const first = await admin.retryJob({ id });
  await suite.jobIs(requestId, 'FAILED');
  expect(await admin.retryJob({ id })).toEqual(first);
  expect((await suite.actions(requestId)).filter((action) => action === 'JOB_RETRIED')).toHaveLength(1);
});

test('when anybody but an admin retries, or the job has not failed, then it is refused', async () => {
  const { id } = await failedJob();
  for (const role of ['requester', 'approver', 'manager', 'auditor']) {
    await expect((await suite.as(person(suite.tenantId, role))).retryJob({ id })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  }
  await expect((await suite.as(person(newId(), 'admin'))).retryJob({ id })).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  const done = await suite.approve();
  await suite.grantIs(done, ['ACTIVE']);
  const job = await until(() => suite.job(done));
  await expect((await suite.as(suite.admin)).retryJob({ id: job.id })).rejects.toMatchObject({ code: 'JOB_NOT_FAILED' });
});

test('when a job is read, then its requester, admins and auditors see it, others do not', async () => {
  const { id, requestId } = await failedJob();
  for (const reader of [suite.requester, suite.admin, person(suite.tenantId, 'auditor')]) {
    expect(await (await suite.as(reader)).getJob({ id })).toMatchObject({
      id,
      requestId,
      kind: 'PROVISION',
      queue: 'default',
      attempts: 1,
    });
  }
  await expect((await suite.as(person(suite.tenantId, 'requester'))).getJob({ id })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  await expect((await suite.as(person(newId(), 'admin'))).getJob({ id })).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  for (const strange of ['', 'x', `${id}'--`]) {
    await expect((await suite.as(suite.admin)).getJob({ id: strange })).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  }
});

test('when an admin cancels a job between two attempts, then what the first left is taken away and it fails; what else there is stays', async () => {
  const requestId = await suite.approve({ config: { failAfterApplyFirst: 5 } });
  const admin = await suite.as(suite.admin);
  // Its next attempt is put off, so that there is time.
  const putOff = `update job set due_at = now() + interval '1 hour' where request_id = $1 and status = 'QUEUED' and attempts > 0 returning id`;
  const { id } = await until(async () => (await suite.sql.query<{ id: string }>(putOff, [requestId])).rows[0]);
  await admin.cancelJob({ id });
  expect(await suite.jobIs(requestId, 'FAILED')).toMatchObject({ last_error: 'Cancelled by an admin' });
  expect(await suite.target(id)).toMatchObject({ present: false });
  const told = (await suite.actions(requestId)).filter((action) => action === 'JOB_CANCELLED' || action === 'JOB_FAILED');
  expect(told).toEqual(['JOB_CANCELLED', 'JOB_FAILED']);
  await expect(admin.cancelJob({ id })).rejects.toMatchObject({ code: 'JOB_NOT_QUEUED' });
  for (const role of ['requester', 'manager', 'auditor'])
    await expect((await suite.as(person(suite.tenantId, role))).cancelJob({ id })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  expect(await admin.retryJob({ id })).toMatchObject({ status: 'QUEUED' });
  await suite.grantIs(requestId, ['ACTIVE']);

  const stuck = await suite.approve({ config: { failRevokeFirst: 100 } });
  const grant = await suite.grantIs(stuck, ['ACTIVE']);
  await admin.revokeGrant({ id: grant.id });
  const revocation = await until(() => suite.job(stuck, 'REVOKE'));
  await expect(admin.cancelJob({ id: revocation.id })).rejects.toMatchObject({ code: 'JOB_NOT_QUEUED' });
});

test('when jobs and grants are listed, then filters and pages hold and each sees their own', async () => {
  const colleague = person(suite.tenantId, 'requester');
  const requestIds = await Promise.all([1, 2, 3].map(() => suite.approve({ requester: colleague })));
  for (const requestId of requestIds) await suite.grantIs(requestId, ['ACTIVE']);
  const admin = await suite.as(suite.admin);
  const filters = [{ field: 'requestId', operator: Operator.IN, values: requestIds }];
  const first = await admin.listJobs({ query: { limit: 2, filters, sort: [{ field: 'createdAt' }] } });
  const second = await admin.listJobs({ query: { limit: 2, filters, sort: [{ field: 'createdAt' }], after: first.page?.next } });
  expect([...first.items, ...second.items].map(({ requestId }) => requestId).sort()).toEqual([...requestIds].sort());
  const statuses = [{ field: 'status', operator: Operator.EQ, values: ['SUCCEEDED'] }];
  expect((await admin.listJobs({ query: { filters: [...filters, ...statuses] } })).items).toHaveLength(3);
  const grantId = first.items[0]?.grantId ?? '';
  const long = ['0001-01-01T00:00:00.000Z'];
  const since = (...fields: string[]) => fields.map((field) => ({ field, operator: Operator.GT, values: long }));
  const ofGrant = { field: 'grantId', operator: Operator.EQ, values: [grantId] };
  expect((await admin.listJobs({ query: { filters: [ofGrant, ...since('startedAt', 'finishedAt')] } })).items).toEqual([first.items[0]]);
  const byEnd = [{ field: 'endedAt', descending: true }];
  expect((await admin.listGrants({ query: { filters, sort: byEnd } })).items).toHaveLength(3);
  expect((await admin.listGrants({ query: { filters: [...filters, ...since('endedAt')] } })).items).toEqual([]);
  const report = await admin.requestReport({ kind: 'jobs', format: 'csv' });
  await until(async () => (await admin.getReport({ id: report.id })).status === 'READY');
  const reports = { filters: since('to', 'finishedAt'), sort: [{ field: 'from' }] };
  expect((await admin.listReports({ query: reports })).items.map(({ id }) => id)).toEqual([report.id]);
  const grants = await admin.listGrants({ query: { filters, sort: [{ field: 'expiresAt', descending: true }] } });
  expect(grants.items.map(({ holderId }) => holderId)).toEqual([colleague.id, colleague.id, colleague.id]);
  expect((await (await suite.as(colleague)).listMyGrants({})).items).toHaveLength(3);
  expect((await (await suite.as(suite.requester)).listMyGrants({ query: { filters } })).items).toHaveLength(0);
  await expect((await suite.as(colleague)).listJobs({})).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  await expect((await suite.as(colleague)).listGrants({})).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  await expect(admin.listGrants({ query: { sort: [{ field: 'access' }] } })).rejects.toMatchObject({ code: 'INVALID_FILTER' });
});

test('when another tenant lists, then it sees nothing of this one', async () => {
  await suite.grantIs(await suite.approve(), ['ACTIVE']);
  const stranger = await suite.as(person(newId(), 'admin'));
  expect((await stranger.listJobs({})).items).toEqual([]);
  expect((await stranger.listGrants({})).items).toEqual([]);
  expect((await stranger.listMyGrants({})).items).toEqual([]);
});
