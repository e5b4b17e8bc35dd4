import { beforeAll, describe, expect, test } from 'vitest';
import { call, filed, listAll, must, type Person, reaches, Tenant, until } from './client.ts';

let tenant: Tenant;
let auditor: Person;
let grantId: string;

beforeAll(async () => {
  tenant = await Tenant.create('reports');
  auditor = await tenant.signIn(await tenant.person('auditor', ['auditor']), 'org-admin');
  const requester = await tenant.person('requester', ['requester']);
  const resource = await tenant.resource((await tenant.type({ sensitivity: 'low' })).id);
  const request = await filed(requester, resource.id, { duration: 'PT1H' });
  ({ grantId } = (await reaches(tenant.admin, request.id, 'ACTIVE')) as unknown as { grantId: string });
});

const ready = (id: unknown) =>
  until('a report that is ready', async () => {
    const report = await must(200, 'GET', `/org/reports/${String(id)}`, { token: auditor.token });
    return report.status === 'READY' && report;
  });

describe('reports', () => {
  test('when an auditor asks for who had what, then there is a file with it, and a job that made it', async () => {
    const asked = await must(201, 'POST', '/org/reports', { token: auditor.token, body: { kind: 'grants', format: 'csv' } });
    expect(asked).toMatchObject({ kind: 'grants', format: 'csv', from: null, status: 'PENDING', bytes: null, requestedBy: auditor.id });
    const report = await ready(asked.id);
    const file = await call('GET', `/org/reports/${report.id}/file`, { token: auditor.token });
    expect(file.status).toBe(200);
    expect(file.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="grants-\d{4}-\d\d-\d\d\.csv"$/);
    expect(file.headers.get('cache-control')).toBe('no-store');
    expect(file.text.split('\r\n')[1]).toContain(grantId);
    expect(Buffer.byteLength(file.text)).toBe(report.bytes);
    const job = await must(200, 'GET', `/jobs/${String(asked.jobId)}/status`, { token: auditor.token });
    expect(job).toMatchObject({ kind: 'REPORT', queue: 'low', status: 'SUCCEEDED', requestId: null, grantId: null });
    const filter = `?filter[kind][eq]=grants&filter[status][eq]=READY&sort=-createdAt`;
    expect((await listAll(`/org/reports${filter}`, tenant.admin.token)).map(({ id }) => id)).toContain(report.id);
  });

  test('when it is asked for as JSON and with a time, then that is what the file holds', async () => {
    const body = { kind: 'jobs', format: 'json', from: '2020-01-01T00:00:00+02:00', to: '2020-02-01T00:00:00Z' };
    const asked = await must(201, 'POST', '/org/reports', { token: tenant.admin.token, body });
    expect(asked).toMatchObject({ from: '2019-12-31T22:00:00.000Z', to: '2020-02-01T00:00:00.000Z' });
    const { id } = await ready(asked.id);
    const file = await call('GET', `/org/reports/${String(id)}/file`, { token: tenant.admin.token });
    expect(file.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(file.text)).toEqual([]);
  });

  test('when a body makes no sense, then the field is named', async () => {
    const wrong = [
      [{ kind: 'users', format: 'csv' }, '/kind'],
      [{ kind: 'jobs', format: 'xlsx' }, '/format'],
      [{ kind: 'jobs', format: 'csv', from: 'yesterday' }, '/from'],
      [{ kind: 'jobs', format: 'csv', from: '2026-02-30T00:00:00Z' }, '/from'],
      // No years that can be kept; an offset leads out of them as well.
      [{ kind: 'jobs', format: 'csv', from: '0000-01-01T00:00:00Z' }, '/from'],
      [{ kind: 'jobs', format: 'csv', from: '0001-01-01T00:00:00+23:59' }, '/from'],
      [{ kind: 'jobs', format: 'csv', to: '9999-12-31T23:59:59-00:01' }, '/to'],
      [{ kind: 'jobs', format: 'csv', from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, '/from'],
      [{ kind: 'jobs', format: 'csv', tenantId: tenant.id }, '/tenantId'],
    ] as const;
    for (const [body, pointer] of wrong) {
      const { errors } = await must(422, 'POST', '/org/reports', { token: auditor.token, body });
      expect(errors).toEqual([expect.objectContaining({ pointer })]);
    }
  });

  test('when it is repeated under its Idempotency-Key, then there is one report', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const ask = () => must(201, 'POST', '/org/reports', { token: auditor.token, body: { kind: 'jobs', format: 'csv' }, headers });
    expect((await ask()).id).toBe((await ask()).id);
  });
});
