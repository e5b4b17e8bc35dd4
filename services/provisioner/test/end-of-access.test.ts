import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { gated } from './gate.ts';
import { person, type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const activeGrant = async (settings: Parameters<Suite['approve']>[0] = {}) => {
  const requestId = await suite.approve(settings);
  return { requestId, ...(await suite.grantIs(requestId, ['ACTIVE'])) };
};

const targetOf = async (requestId: string) => suite.target((await suite.job(requestId))?.id ?? '');
const isEnding = (action: string) => action.startsWith('GRANT_') && action !== 'GRANT_ACTIVATED';
const codeOf = (result: PromiseSettledResult<unknown>) => (result.status === 'rejected' ? result.reason.code : 'ok');

test('when the time is up, then the access is gone at the target within 5 s and the grant has expired', async () => {
  // Where the machine has stood still meanwhile, another one tells.
  const requestId = await until(
    async () => {
      const expiring = await suite.approve({ duration: 'PT1S' });
      const { ended_at, expires_at } = await suite.grantIs(expiring, ['EXPIRED']);
      return Number(ended_at) - Number(expires_at) < 5000 && expiring;
    },
    { timeoutMs: 40_000, what: 'an end within 5 s' },
  );
  expect(await targetOf(requestId)).toMatchObject({ present: false, times_created: 1 });
  expect((await suite.actions(requestId)).slice(4)).toEqual([
    'GRANT_REVOCATION_STARTED',
    'JOB_QUEUED',
    'JOB_STARTED',
    'JOB_SUCCEEDED',
    'GRANT_EXPIRED',
  ]);
});

test('when the holder or an admin revokes, then the grant is revoked, and a second time is refused', async () => {
  for (const by of [suite.requester, suite.admin]) {
    const { id, requestId } = await activeGrant();
    const client = await suite.as(by);
    expect(await client.revokeGrant({ id })).toMatchObject({ status: 'REVOKING', version: 2 });
    await expect(client.revokeGrant({ id })).rejects.toMatchObject({ code: 'GRANT_NOT_ACTIVE' });
    expect(await suite.grantIs(requestId, ['REVOKED'])).toMatchObject({ end_reason: 'REVOKED' });
    expect(await targetOf(requestId)).toMatchObject({ present: false });
  }
});

test('when somebody else revokes, then it is refused', async () => {
  const { id } = await activeGrant();
  for (const role of ['requester', 'auditor', 'manager', 'approver']) {
    const client = await suite.as(person(suite.tenantId, role));
    await expect(client.revokeGrant({ id })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  }
  await expect((await suite.as(person(newId(), 'admin'))).revokeGrant({ id })).rejects.toMatchObject({ code: 'GRANT_NOT_FOUND' });
});

test('when the request is withdrawn, then the grant is revoked', async () => {
  const { requestId } = await activeGrant();
  await suite.withdraw(requestId);
  expect(await suite.grantIs(requestId, ['REVOKED'])).toMatchObject({ end_reason: 'WITHDRAWN' });
});

test('when the holder is deactivated, then all grants of that person end, and of nobody else', async () => {
  const leaver = person(suite.tenantId, 'requester');
  const stays = await activeGrant();
  const grants = await Promise.all([activeGrant({ requester: leaver }), activeGrant({ requester: leaver })]);
  await suite.tellUser(leaver, true, 2);
  await suite.tellUser(leaver, false, 3);
  for (const { requestId } of grants) {
    expect(await suite.grantIs(requestId, ['REVOKED'])).toMatchObject({ end_reason: 'USER_DEACTIVATED' });
  }
  expect(await suite.grant(stays.requestId)).toMatchObject({ status: 'ACTIVE' });
});

test('when old news of a deactivation comes after a reactivation, then nothing ends', async () => {
  const back = person(suite.tenantId, 'requester');
  await suite.tellUser(back, true, 5);
  await until(async () => (await suite.sql.query('select 1 from holder where user_id = $1 and version = 5', [back.id])).rowCount);
  const { requestId } = await activeGrant({ requester: back });
  await suite.tellUser(back, false, 4);
  const marker = person(suite.tenantId);
  await suite.tellUser(marker, true, 1);
  await until(async () => (await suite.sql.query('select 1 from holder where user_id = $1', [marker.id])).rowCount);
  expect(await suite.grant(requestId)).toMatchObject({ status: 'ACTIVE' });
});

test('when somebody is deactivated while the job runs, then the access does not stay', async () => {
  const requester = person(suite.tenantId, 'requester');
  suite.gate.close();
  const requestId = await suite.approve({ requester, ...gated });
  await suite.jobIs(requestId, 'RUNNING');
  await suite.tellUser(requester, false, 2);
  await until(async () => (await suite.sql.query('select 1 from holder where user_id = $1 and not active', [requester.id])).rowCount);
  suite.gate.open();
  expect(await suite.grantIs(requestId, ['REVOKED'])).toMatchObject({ end_reason: 'USER_DEACTIVATED' });
  expect(await targetOf(requestId)).toMatchObject({ present: false });
});

test('when the tenant is suspended, then all its access ends, none begins, and of other tenants nothing changes', async () => {
  const requester = person(newId(), 'requester');
  const [stays, one, two] = await Promise.all([activeGrant(), activeGrant({ requester }), activeGrant({ requester })]);
  suite.gate.close();
  const running = await suite.approve({ requester, ...gated });
  await suite.jobIs(running, 'RUNNING');
  await suite.tellTenant(requester.tenantId, 'SUSPENDED', 3);
  await until(
    async () => (await suite.sql.query('select 1 from tenant where tenant_id = $1 and suspended', [requester.tenantId])).rowCount,
  );
  suite.gate.open();
  await suite.tellTenant(requester.tenantId, 'ACTIVE', 2);
  for (const requestId of [one.requestId, two.requestId, running])
    expect(await suite.grantIs(requestId, ['REVOKED'])).toMatchObject({ end_reason: 'TENANT_SUSPENDED' });
  expect(await targetOf(running)).toMatchObject({ present: false });
  const late = await suite.approve({ requester });
  expect(await suite.jobIs(late, 'FAILED')).toMatchObject({ last_error: 'The tenant is suspended' });

  await suite.tellTenant(requester.tenantId, 'ACTIVE', 4);
  await until(
    async () => (await suite.sql.query('select 1 from tenant where tenant_id = $1 and not suspended', [requester.tenantId])).rowCount,
  );
  await activeGrant({ requester });
  expect(await suite.grant(stays.requestId)).toMatchObject({ status: 'ACTIVE' });
});

test('when expiry, withdrawal and two revocations meet, then there is one end', async () => {
  const grants = await Promise.all(Array.from({ length: 20 }, () => activeGrant()));
  const [holder, admin] = await Promise.all([suite.as(suite.requester), suite.as(suite.admin)]);
  await Promise.all(grants.map(({ id }) => suite.endsIn(id, 100)));
  const calls = await Promise.all(
    grants.map(({ id, requestId }) =>
      Promise.allSettled([holder.revokeGrant({ id }), admin.revokeGrant({ id }), suite.withdraw(requestId)]),
    ),
  );
  for (const [index, { requestId, id }] of grants.entries()) {
    const ended = await suite.grantIs(requestId, ['EXPIRED', 'REVOKED']);
    const codes = (calls[index] ?? []).slice(0, 2).map(codeOf);
    expect(codes.filter((code) => code === 'ok')).toHaveLength(ended.end_reason === 'REVOKED' ? 1 : 0);
    expect((await suite.actions(requestId)).filter(isEnding)).toEqual(['GRANT_REVOCATION_STARTED', `GRANT_${ended.status}`]);
    const { rowCount } = await suite.sql.query(`select 1 from job where grant_id = $1 and kind = 'REVOKE'`, [id]);
    expect(rowCount).toBe(1);
  }
});

test('when the target does not let go, then that is told once, tried again, and ends when it does', async () => {
  const { requestId, id } = await activeGrant({ config: { failRevokeFirst: 5 } });
  await (await suite.as(suite.admin)).revokeGrant({ id });
  const job = await until(() => suite.job(requestId, 'REVOKE'));
  expect(await (await suite.as(suite.admin)).getJob({ id: job.id })).toMatchObject({ maxAttempts: 0, queue: 'high' });
  await suite.grantIs(requestId, ['REVOKED'], 50_000);
  const actions = await suite.actions(requestId);
  expect(actions.filter(isEnding)).toEqual(['GRANT_REVOCATION_STARTED', 'GRANT_REVOKE_FAILED', 'GRANT_REVOKED']);
  expect(await targetOf(requestId)).toMatchObject({ present: false });
});

test('when nothing runs at the time of expiry, then the access ends soon after the start', async () => {
  const idle = await startSuite();
  try {
    const requestId = await idle.approve();
    const { id } = await idle.grantIs(requestId, ['ACTIVE']);
    await idle.stopAll();
    const end = await idle.endsIn(id, 300);
    await until(() => Date.now() > end.getTime() + 200);
    expect(await idle.grant(requestId)).toMatchObject({ status: 'ACTIVE' });
    await idle.start();
    await idle.grantIs(requestId, ['EXPIRED']);
  } finally {
    await idle.close();
  }
});

test('when the target never lets go, then an admin closes the grant with a reason, nobody else, and nothing short of that', async () => {
  const { requestId, id } = await activeGrant({ config: { failRevokeFirst: 100 } });
  const admin = await suite.as(suite.admin);
  await expect(admin.closeGrant({ id, reason: 'Too early' })).rejects.toMatchObject({ code: 'GRANT_NOT_STUCK' });
  await admin.revokeGrant({ id });
  await suite.grantIs(requestId, ['REVOKE_FAILED']);
  for (const reason of ['', 'no', 'two\nlines', 'x'.repeat(501)])
    await expect(admin.closeGrant({ id, reason })).rejects.toMatchObject({ code: 'INVALID_FIELDS', fields: [{ pointer: '/reason' }] });
  for (const other of [suite.requester, person(suite.tenantId, 'manager'), person(suite.tenantId, 'auditor')])
    await expect((await suite.as(other)).closeGrant({ id, reason: 'Please' })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });

  expect(await admin.closeGrant({ id, reason: 'The server is gone, OPS-1' })).toMatchObject({ status: 'REVOKED' });
  await expect(admin.closeGrant({ id, reason: 'Once more' })).rejects.toMatchObject({ code: 'GRANT_NOT_STUCK' });
  const job = await until(() => suite.job(requestId, 'REVOKE'));
  expect(job).toMatchObject({ status: 'FAILED', last_error: 'The grant was closed by an admin' });
  expect((await suite.actions(requestId)).filter(isEnding)).toEqual(['GRANT_REVOCATION_STARTED', 'GRANT_REVOKE_FAILED', 'GRANT_CLOSED']);

  // The server was found again.
  await suite.sql.query(`update job set spec = jsonb_set(spec, '{config}', '{}') where id = $1`, [job.id]);
  await admin.retryJob({ id: job.id });
  await until(async () => (await suite.job(requestId, 'REVOKE'))?.status === 'SUCCEEDED');
  expect(await targetOf(requestId)).toMatchObject({ present: false });
  expect((await suite.actions(requestId)).slice(-2)).toEqual(
    ['JOB_STARTED', 'JOB_SUCCEEDED'].map((action) => expect.stringMatching(action.replace('STARTED', '(STARTED|RESUMED)'))),
  );
  expect(await suite.grant(requestId)).toMatchObject({ status: 'REVOKED' });
});
