import { untilWithin } from '@accessops/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  auditOf,
  call,
  codeOf,
  decide,
  file,
  filed,
  grantsOf,
  type Item,
  must,
  type Person,
  reaches,
  rememberSecret,
  statusOf,
  Tenant,
  until,
} from './client.ts';

describe('the way of a request', () => {
  let tenant: Tenant;
  let requester: Person;
  let approver1: Person;
  let approver2: Person;
  let auditor: Person;
  let high: Item;
  let low: Item;

  beforeAll(async () => {
    tenant = await Tenant.create('core');
    requester = await tenant.person('requester', ['requester']);
    approver1 = await tenant.person('approver1', ['approver']);
    approver2 = await tenant.person('approver2', ['approver']);
    auditor = await tenant.person('auditor', ['auditor'], 'org-admin');
    high = await tenant.type({ sensitivity: 'high' });
    low = await tenant.type({ sensitivity: 'low' });
  });

  test('when two different people approve, then the request becomes active with one job, one grant and one audit event per change', async () => {
    const resource = await tenant.resource(high.id);
    const answer = await file(requester, resource.id, { duration: 'PT1H' }, { 'x-request-id': 'core-path-1' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-request-id')).toBe('core-path-1');
    const request = answer.body as Item;
    expect(request).toMatchObject({
      status: 'PENDING',
      requiredApprovals: 2,
      requesterId: requester.id,
      jobId: null,
      grantId: null,
      duration: 'PT1H',
    });

    expect((await decide(approver1, request.id)).body).toMatchObject({
      requestId: request.id,
      status: 'PENDING',
      approvals: 1,
      requiredApprovals: 2,
    });
    expect(await statusOf(requester, request.id)).toBe('PENDING');
    expect((await decide(approver2, request.id)).body).toMatchObject({ status: 'APPROVED', approvals: 2 });

    const active = await reaches(requester, request.id, 'ACTIVE');
    const [grant, ...others] = await grantsOf(requester, request.id);
    expect(others).toEqual([]);
    expect(grant).toMatchObject({ id: active.grantId, status: 'ACTIVE', resourceId: resource.id, role: 'reader' });
    expect(Date.parse(String(grant?.expiresAt)) - Date.parse(String(grant?.activatedAt))).toBe(3_600_000);

    const jobs = (await must(200, 'GET', `/org/jobs?filter[requestId][eq]=${request.id}`, { token: tenant.admin.token })).items;
    expect(jobs).toHaveLength(1);
    const job = await until('job done', async () => {
      const status = await must(200, 'GET', `/jobs/${active.jobId}/status`, { token: requester.token });
      return status.status === 'SUCCEEDED' && status;
    });
    expect(job).toMatchObject({ requestId: request.id, kind: 'PROVISION', attempts: 1 });

    // Word of the queued job may come after that of the active grant: then the request was never seen provisioning.
    const isCertain = ({ action }: Item) => action !== 'REQUEST_PROVISIONING';
    const wanted = [
      'REQUEST_CREATED',
      'DECISION_RECORDED',
      'DECISION_RECORDED',
      'REQUEST_APPROVED',
      'REQUEST_ACTIVATED',
      'JOB_QUEUED',
      'JOB_STARTED',
      'JOB_SUCCEEDED',
      'GRANT_ACTIVATED',
    ];
    const events = await until('all audited', async () => {
      const found = [
        ...(await auditOf(auditor, request.id)),
        ...(await auditOf(auditor, String(active.jobId))),
        ...(await auditOf(auditor, String(grant?.id))),
      ];
      return found.filter(isCertain).length >= wanted.length && found;
    });
    expect(
      events
        .filter(isCertain)
        .map(({ action }) => action)
        .sort(),
    ).toEqual(wanted.sort());
    expect(events.length - wanted.length).toBeLessThanOrEqual(1);
    const created = events.find(({ action }) => action === 'REQUEST_CREATED');
    expect(created).toMatchObject({ requestId: 'core-path-1', actor: { id: requester.id, type: 'user' } });
    const deciders = events.filter(({ action }) => action === 'DECISION_RECORDED').map(({ actor }) => (actor as Item).id);
    expect(deciders.sort()).toEqual([approver1.id, approver2.id].sort());
  });

  test('when the holder reads the credential, then a second read is gone and nobody else may', async () => {
    const resource = await tenant.resource(low.id);
    const request = await filed(requester, resource.id, { duration: 'PT10M' });
    expect(request.requiredApprovals).toBe(0);
    const { grantId } = await reaches(requester, request.id, 'ACTIVE');
    expect((await call('POST', `/grants/${grantId}/credential`, { token: approver1.token, body: {} })).status).toBe(403);
    const first = await call('POST', `/grants/${grantId}/credential`, { token: requester.token, body: {} });
    expect(first.status).toBe(200);
    const credential = first.body.credential as { password: string };
    expect(credential.password).toMatch(/.{16,}/);
    rememberSecret(credential.password);
    const second = await call('POST', `/grants/${grantId}/credential`, { token: requester.token, body: {} });
    expect([second.status, codeOf(second)]).toEqual([410, 'CREDENTIAL_ALREADY_READ']);
  });

  test('when the duration is over, then the grant expires by itself', async () => {
    const resource = await tenant.resource(low.id);
    const request = await filed(requester, resource.id, { duration: 'PT1S' });
    await untilWithin(6000, 'the end', async () => (await statusOf(requester, request.id)) === 'EXPIRED');
    const [grant] = await grantsOf(requester, request.id);
    expect(grant?.status).toBe('EXPIRED');
    expect(Date.parse(String(grant?.endedAt))).toBeGreaterThanOrEqual(Date.parse(String(grant?.expiresAt)));
  });

  test('when the requester withdraws, then the grant is revoked and stays so', async () => {
    const resource = await tenant.resource(low.id);
    const request = await filed(requester, resource.id, { duration: 'PT10M' });
    await reaches(requester, request.id, 'ACTIVE');
    expect((await call('POST', `/requests/${request.id}/withdraw`, { token: requester.token, body: {} })).status).toBe(200);
    await reaches(requester, request.id, 'REVOKED');
    expect((await grantsOf(requester, request.id))[0]?.status).toBe('REVOKED');
    const again = await call('POST', `/requests/${request.id}/withdraw`, { token: requester.token, body: {} });
    expect([again.status, codeOf(again)]).toEqual([409, 'REQUEST_NOT_ACTIVE']);
  });

  test('when an admin revokes a grant, then its request is revoked', async () => {
    const resource = await tenant.resource(low.id);
    const request = await filed(requester, resource.id, { duration: 'PT10M' });
    const { grantId } = await reaches(requester, request.id, 'ACTIVE');
    expect((await call('POST', `/grants/${grantId}/revoke`, { token: approver1.token, body: {} })).status).toBe(403);
    expect((await tenant.org('POST', `/grants/${grantId}/revoke`, {})).status).toBe(200);
    await reaches(requester, request.id, 'REVOKED');
  });

  test('when someone rejects, then the request ends and no later vote counts', async () => {
    const resource = await tenant.resource(high.id);
    const request = await filed(requester, resource.id);
    expect((await decide(approver1, request.id, 'reject')).body).toMatchObject({ status: 'REJECTED' });
    await reaches(requester, request.id, 'REJECTED');
    const late = await decide(approver2, request.id);
    expect([late.status, codeOf(late)]).toEqual([409, 'REQUEST_NOT_PENDING']);
    expect(await grantsOf(requester, request.id)).toEqual([]);
  });

  test('when the requester cancels, then an approval right after is refused', async () => {
    const resource = await tenant.resource(high.id);
    const request = await filed(requester, resource.id);
    expect((await call('POST', `/requests/${request.id}/cancel`, { token: approver1.token, body: {} })).status).toBe(403);
    expect((await call('POST', `/requests/${request.id}/cancel`, { token: requester.token, body: {} })).body).toMatchObject({
      status: 'CANCELLED',
    });
    const late = await decide(approver1, request.id);
    expect([late.status, codeOf(late)]).toEqual([409, 'REQUEST_NOT_PENDING']);
    expect(codeOf(await call('POST', `/requests/${request.id}/cancel`, { token: requester.token, body: {} }))).toBe('REQUEST_NOT_PENDING');
  });

  test('when the requester is an approver and admin too, then the own request cannot be decided by them', async () => {
    const both = await tenant.person('both', ['requester', 'approver', 'admin']);
    const resource = await tenant.resource(high.id);
    const request = await filed(both, resource.id);
    for (const verb of ['approve', 'reject'] as const) {
      const own = await decide(both, request.id, verb);
      expect([own.status, codeOf(own)]).toEqual([403, 'SELF_APPROVAL_FORBIDDEN']);
    }
  });

  test('when the data is personal, then the owning team and an admin must approve', async () => {
    const teamMate = await tenant.person('team-mate', ['requester']);
    const team = await tenant.team([teamMate]);
    const type = await tenant.type({ sensitivity: 'low', pii: true });
    const resource = await tenant.resource(type.id, { owningTeamId: team.id });
    const request = await filed(requester, resource.id);
    expect(request.requiredApprovals).toBe(2);
    expect((await decide(approver1, request.id)).status).toBe(403);
    expect((await decide(tenant.admin, request.id)).body).toMatchObject({ status: 'PENDING', approvals: 1, stage: 'admin' });
    expect((await decide(teamMate, request.id)).body).toMatchObject({ status: 'APPROVED', approvals: 2, stage: 'owning-team' });
    await reaches(requester, request.id, 'ACTIVE');
  });

  test('when the first attempt fails, then the retry succeeds; when all fail, then the request fails and an admin can retry', async () => {
    const flaky = await tenant.type({ sensitivity: 'low', config: { failFirst: 1 } });
    const broken = await tenant.type({ sensitivity: 'low', config: { alwaysFail: true } });
    const [works, fails] = await Promise.all([
      tenant.resource(flaky.id).then((resource) => filed(requester, resource.id, { duration: 'PT10M' })),
      tenant.resource(broken.id).then((resource) => filed(requester, resource.id, { duration: 'PT10M' })),
    ]);
    const active = await reaches(requester, works.id, 'ACTIVE');
    expect(await must(200, 'GET', `/jobs/${active.jobId}/status`, { token: requester.token })).toMatchObject({ attempts: 2 });
    const failed = await reaches(requester, fails.id, 'FAILED');
    const job = await must(200, 'GET', `/jobs/${failed.jobId}/status`, { token: requester.token });
    expect(job).toMatchObject({ status: 'FAILED' });
    expect(job.lastError).toBeTruthy();
    expect((await call('POST', `/org/jobs/${failed.jobId}/retry`, { token: requester.token, body: {} })).status).toBe(403);
    expect((await tenant.org('POST', `/jobs/${failed.jobId}/retry`, {})).status).toBe(200);
    await until(
      'tried again',
      async () => (await auditOf(auditor, fails.id)).filter(({ action }) => action === 'REQUEST_PROVISIONING').length === 2,
    );
    await reaches(requester, fails.id, 'FAILED');
  });

  test('when the audit is read, then it has no gap, verifies, and exports as it is', async () => {
    const verified = await must(200, 'GET', '/org/audit/verify', { token: auditor.token });
    expect(verified).toMatchObject({ ok: true });
    const events = (await must(200, 'GET', '/org/audit?sort=sequence&limit=200', { token: auditor.token })).items as Item[];
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    const jsonl = await call('GET', '/org/audit/export?format=jsonl', { token: auditor.token });
    const lines = jsonl.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Item);
    expect(lines.slice(0, events.length).map(({ hash }) => hash)).toEqual(events.map(({ hash }) => hash));
    const csv = await call('GET', '/org/audit/export?format=csv', { token: auditor.token });
    expect(csv.headers.get('content-type')).toMatch(/text\/csv/);
    expect(csv.text.split('\n')[0]).toContain('sequence');
    expect((await call('GET', '/org/audit', { token: requester.token })).status).toBe(403);
  });
});
