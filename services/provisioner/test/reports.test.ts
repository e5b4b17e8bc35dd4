import { newId } from '@accessops/db';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Report } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { type S3Store, startS3Store, until } from '@accessops/testing';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { person, type Suite, startSuite } from './suite.ts';

const bucket = 'reports';
const s3: S3Store | undefined = await startS3Store();
await s3?.makeBucket(bucket);
afterAll(() => s3?.close());

const ofBucket = (store: S3Store): Record<string, string> => {
  const { URL, ACCESS_KEY, SECRET_KEY } = store.settings();
  return { FILES_S3_BUCKET: bucket, FILES_S3_URL: URL, FILES_S3_ACCESS_KEY: ACCESS_KEY, FILES_S3_SECRET_KEY: SECRET_KEY };
};
const stores: [string, Record<string, string>][] = [
  ['a directory', {}],
  ...(s3 ? [['a bucket', ofBucket(s3)] as [string, Record<string, string>]] : []),
];

describe.each(stores)('reports kept in %s', (_, environment) => {
  let suite: Suite;
  beforeAll(async () => {
    suite = await startSuite({ environment, overrides: { removalMs: 50 } });
  });
  afterAll(() => suite.close());

  const reportIs = (id: string, status: string): Promise<Report> =>
    until(
      async () => {
        const report = await (await suite.as(suite.admin)).getReport({ id });
        return report.status === status && report;
      },
      { what: `a report that is ${status}` },
    );
  const fileOf = async (id: string, who = suite.admin): Promise<string> => {
    const pieces: Uint8Array[] = [];
    for await (const { piece } of (await suite.as(who)).readReport({ id })) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  };

  test('when a report of grants is asked for, then a job makes it, and the file tells who had what, and when', async () => {
    const holder = person(suite.tenantId, 'requester');
    const requestId = await suite.approve({ requester: holder });
    const grant = await suite.grantIs(requestId, ['ACTIVE']);
    const admin = await suite.as(suite.admin);
    const asked = await admin.requestReport({ kind: 'grants', format: 'json' });
    expect(asked).toMatchObject({ kind: 'grants', format: 'json', status: 'PENDING', requestedBy: suite.admin.id });
    const ready = await reportIs(asked.id, 'READY');
    const lines = JSON.parse(await fileOf(asked.id)) as Record<string, unknown>[];
    expect(lines).toHaveLength(ready.rows);
    expect(lines.find(({ grantId }) => grantId === grant.id)).toMatchObject({
      requestId,
      holderId: holder.id,
      resourceKey: 'staging-db',
      role: 'reader',
      status: 'ACTIVE',
      expiresAt: grant.expires_at.toISOString(),
      endedAt: null,
    });
    expect(Number(ready.bytes)).toBe(Buffer.byteLength(await fileOf(asked.id)));
    expect(await admin.getJob({ id: asked.jobId })).toMatchObject({
      kind: 'REPORT',
      queue: 'low',
      status: 'SUCCEEDED',
      requestId: '',
      attempts: 1,
    });
    const filters = [{ field: 'kind', operator: Operator.EQ, values: ['REPORT'] }];
    expect((await admin.listJobs({ query: { filters } })).items.map(({ id }) => id)).toContain(asked.jobId);
    expect(await suite.actions(asked.jobId)).toEqual(['JOB_QUEUED', 'REPORT_REQUESTED', 'JOB_STARTED', 'REPORT_MADE', 'JOB_SUCCEEDED']);
  });

  test('when a report has more lines than a page, then all of them are in it, once and in order', async () => {
    const tenantId = newId();
    await suite.sql.query(
      `insert into job (id, tenant_id, kind, queue, status, due_at, requester_id, origin, spec, created_at, last_error)
       select gen_random_uuid(), $1, 'REPORT', 'low', 'FAILED', now(), gen_random_uuid(), '{}', '{}', now() - (n / 3) * interval '1 second', '=1+1'
       from generate_series(1, 2500) n`,
      [tenantId],
    );
    const admin = person(tenantId, 'admin');
    const { id } = await (await suite.as(admin)).requestReport({ kind: 'jobs', format: 'csv' });
    await until(async () => (await (await suite.as(admin)).getReport({ id })).status === 'READY');
    const [head, ...lines] = (await fileOf(id, admin)).trimEnd().split('\r\n');
    expect(head).toMatch(/^jobId,requestId,kind,/);
    expect(lines).toHaveLength(2500);
    expect(new Set(lines.map((line) => line.split(',')[0])).size).toBe(2500);
    const times = lines.map((line) => line.split(',')[7]);
    expect(times).toEqual(times.toSorted());
    expect(lines.filter((line) => line.includes(",'=1+1,"))).toHaveLength(2500);
  });

  test('when a time is given, then only what was in it is told', async () => {
    const requestId = await suite.approve();
    const { id } = await suite.grantIs(requestId, ['ACTIVE']);
    const admin = await suite.as(suite.admin);
    const hour = (hours: number) => timestampFromDate(new Date(Date.now() + hours * 3_600_000));
    const holds = async (since: number, until: number) => {
      const report = await admin.requestReport({ kind: 'grants', format: 'json', since: hour(since), until: hour(until) });
      await reportIs(report.id, 'READY');
      return (await fileOf(report.id)).includes(id);
    };
    // Still in force, so in every time that begins later.
    expect(await Promise.all([holds(-2, -1), holds(-1, 1), holds(1, 2)])).toEqual([false, true, true]);
    await expect(admin.requestReport({ kind: 'grants', format: 'csv', since: hour(1), until: hour(0) })).rejects.toMatchObject({
      code: 'INVALID_FIELDS',
      fields: [{ pointer: '/from' }],
    });
    for (const [field, wrong] of [
      ['/kind', { kind: 'users', format: 'csv' }],
      ['/format', { kind: 'jobs', format: 'xlsx' }],
    ] as const)
      await expect(admin.requestReport(wrong)).rejects.toMatchObject({ code: 'INVALID_FIELDS', fields: [{ pointer: field }] });
  });

  test('when somebody of another tenant or role comes, then there is nothing for them', async () => {
    const { id } = await (await suite.as(suite.admin)).requestReport({ kind: 'jobs', format: 'csv' });
    await reportIs(id, 'READY');
    expect(await fileOf(id, person(suite.tenantId, 'auditor'))).toMatch(/^jobId,/);
    const stranger = person(newId(), 'admin');
    await expect((await suite.as(stranger)).getReport({ id })).rejects.toMatchObject({ code: 'REPORT_NOT_FOUND' });
    await expect(fileOf(id, stranger)).rejects.toMatchObject({ code: 'REPORT_NOT_FOUND' });
    expect((await (await suite.as(stranger)).listReports({})).items).toEqual([]);
    for (const role of ['requester', 'approver', 'manager']) {
      const other = await suite.as(person(suite.tenantId, role));
      await expect(other.requestReport({ kind: 'jobs', format: 'csv' })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      await expect(other.getReport({ id })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
      await expect(other.listReports({})).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    }
  });

  test('when the time of a report is over, then its file is removed, once', async () => {
    const admin = await suite.as(suite.admin);
    const { id, jobId } = await admin.requestReport({ kind: 'jobs', format: 'csv' });
    await reportIs(id, 'READY');
    await suite.start();
    await suite.sql.query(`update report set expires_at = now() - interval '1 second' where id = $1`, [id]);
    await reportIs(id, 'EXPIRED');
    await expect(fileOf(id)).rejects.toMatchObject({ code: 'REPORT_EXPIRED' });
    expect((await suite.actions(jobId)).filter((action) => action === 'REPORT_EXPIRED')).toHaveLength(1);
    const filters = [{ field: 'status', operator: Operator.EQ, values: ['EXPIRED'] }];
    expect((await admin.listReports({ query: { filters } })).items.map((report) => report.id)).toContain(id);
  });

  test('when a report that had failed is made after its time, then its file is there for another while', async () => {
    const admin = await suite.as(suite.admin);
    const { id, jobId } = await admin.requestReport({ kind: 'jobs', format: 'csv' });
    await reportIs(id, 'READY');
    await suite.sql.query(`update job set status = 'FAILED' where id = $1`, [jobId]);
    const isOver = () => suite.sql.query(`update report set expires_at = now() - interval '1 second' where id = $1`, [id]);
    await isOver();
    await reportIs(id, 'EXPIRED');
    await admin.retryJob({ id: jobId });
    const { expiresAt } = await reportIs(id, 'READY');
    expect(Number(expiresAt?.seconds) * 1000).toBeGreaterThan(Date.now());
    expect(await fileOf(id)).toMatch(/^jobId,/);
    await isOver();
    await reportIs(id, 'EXPIRED');
  });
});

describe('reports whose store is away', () => {
  let suite: Suite;
  beforeAll(async () => {
    const environment = { FILES_S3_BUCKET: bucket, FILES_S3_URL: 'http://127.0.0.1:1', FILES_S3_ACCESS_KEY: 'a', FILES_S3_SECRET_KEY: 'b' };
    suite = await startSuite({ environment });
  });
  afterAll(() => suite.close());

  const job = async (id: string) => (await suite.as(suite.admin)).getJob({ id });
  const stuck = async () => {
    const { id, jobId } = await (await suite.as(suite.admin)).requestReport({ kind: 'jobs', format: 'csv' });
    await until(async () => (await job(jobId)).lastError, { what: 'an attempt that failed' });
    return { id, jobId };
  };

  test('when the store is away, then attempts go on with the reason, until an admin cancels; retried, it is a job again', async () => {
    const admin = await suite.as(suite.admin);
    const { id, jobId } = await stuck();
    expect(await job(jobId)).toMatchObject({ maxAttempts: 5, lastError: 'The report could not be written to the store of files' });
    await expect(async () => {
      for await (const _ of admin.readReport({ id })) expect.unreachable();
    }).rejects.toMatchObject({ code: 'REPORT_NOT_READY' });
    await expect((await suite.as(person(suite.tenantId, 'auditor'))).cancelJob({ id: jobId })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    await until(() =>
      admin.cancelJob({ id: jobId }).then(
        () => true,
        ({ code }) => code !== 'JOB_NOT_QUEUED',
      ),
    );
    await until(async () => (await job(jobId)).status === 'FAILED');
    expect(await job(jobId)).toMatchObject({ lastError: 'Cancelled by an admin' });
    expect(await admin.getReport({ id })).toMatchObject({ status: 'FAILED' });
    expect(await admin.retryJob({ id: jobId })).toMatchObject({ status: 'QUEUED', requestId: '' });
    expect(await admin.getReport({ id })).toMatchObject({ status: 'PENDING' });
  });

  test('when no attempt is left, then the job is FAILED with the error', async () => {
    const { jobId } = await stuck();
    // As after four attempts, whose pauses add up to half a minute.
    await until(async () => {
      await suite.sql.query(`update job set max_attempts = attempts, due_at = now() where id = $1 and status = 'QUEUED'`, [jobId]);
      return (await job(jobId)).status === 'FAILED';
    });
    expect(await job(jobId)).toMatchObject({ lastError: 'The report could not be written to the store of files' });
    const actions = await suite.actions(jobId);
    expect(actions.at(-1)).toBe('JOB_FAILED');
  });

  test('when ten reports of a tenant are being made, then the eleventh is refused, of all that are asked for at once', async () => {
    const admin = await suite.as(person(newId(), 'admin'));
    const asked = await Promise.allSettled(Array.from({ length: 12 }, () => admin.requestReport({ kind: 'jobs', format: 'csv' })));
    const codes = asked.map((one) => (one.status === 'rejected' ? one.reason.code : 'asked'));
    expect(codes.toSorted()).toEqual(['TOO_MANY_REPORTS', 'TOO_MANY_REPORTS', ...Array.from({ length: 10 }, () => 'asked')]);
  });
});
