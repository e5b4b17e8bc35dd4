import { newId } from '@accessops/db';
import { RequestWithdrawnSchema, ResourceChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { gated } from './gate.ts';
import { person, type Suite, startSuite } from './suite.ts';
import { createTargetDatabase, logIn, type TargetDatabase } from './target.ts';

const patience = 50_000;
const reconciler = { pollMs: 50, pauseMs: 100, deadlineMs: 15_000 };

let target: TargetDatabase;
let proxy: FaultProxy;
let suite: Suite;
beforeAll(async () => {
  target = await createTargetDatabase();
  proxy = await startFaultProxy(target.port);
  const environment = {
    CONNECTOR_POSTGRES_PROD_URL: target.url(proxy.port),
    CONNECTOR_POSTGRES_PROD_TENANTS: 'acme',
    CONNECTOR_POSTGRES_COPY_URL: target.url(),
    CONNECTOR_POSTGRES_COPY_TENANTS: 'acme',
  };
  suite = await startSuite({ instances: 2, environment, overrides: { reconciler } });
  await suite.tellSlug();
});
afterEach(() => proxy.set({ kind: 'none' }));
afterAll(async () => {
  await suite.close();
  await proxy.close();
  await target.drop();
});

const config = (login = 'prod') => ({ login, roles: { reader: [target.roles.reader], writer: [target.roles.writer] } });
const admin = () => suite.as(suite.admin);

/** Gives access to a resource, which is a new one unless it is named. */
const give = async (partial: { resourceId?: string; config?: object } = {}) => {
  const resourceId = partial.resourceId ?? newId();
  const requestId = await suite.approve({ connector: 'postgres', ...partial, resourceId, config: { ...config(), ...partial.config } });
  const { id: grantId } = await suite.grantIs(requestId, ['ACTIVE'], patience);
  const { id: key } = await suite.jobIs(requestId, 'SUCCEEDED', patience);
  return { resourceId, requestId, grantId, key, role: roleOf(key) };
};
const roleOf = (key: string) => `accessops_${key.replaceAll('-', '')}`;
const exists = async (role: string) => ((await target.sql.query('select from pg_roles where rolname = $1', [role])).rowCount ?? 0) > 0;
const credentialOf = async (grantId: string): Promise<Record<string, unknown>> => {
  const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId });
  return { ...JSON.parse(credentialJson), port: target.port };
};
const logsIn = (credential: Record<string, unknown>) =>
  logIn(credential).then(
    (client) => client.query('select * from customer').then(() => client.end().then(() => true)),
    () => false,
  );
/** Waits for the report of a run. */
const reportOf = async ({ id, resourceId }: { id: string; resourceId: string }) => {
  const client = await admin();
  return until(
    async () => {
      const report = await client.getDrift({ resourceId });
      return report.id === id && !['QUEUED', 'RUNNING'].includes(report.status) && report;
    },
    { timeoutMs: patience, what: 'a report' },
  );
};
/** Has a resource compared, whatever comes of it. */
const reconcileOnce = async (resourceId: string) => reportOf(await (await admin()).reconcileResource({ resourceId }));
/** Has a resource compared; a target that stood still for a moment is asked again. */
const reconcile = (resourceId: string) =>
  until(
    async () => {
      const report = await reconcileOnce(resourceId);
      return report.status === 'SUCCEEDED' && report;
    },
    { timeoutMs: patience, what: 'a comparison' },
  );
const takenAway = (role: string) => target.sql.query(`drop owned by "${role}"; drop role "${role}"`);
const jobsOf = async (requestId: string, kind: string): Promise<{ status: string }[]> =>
  (await suite.sql.query('select status from job where request_id = $1 and kind = $2 order by created_at', [requestId, kind])).rows;
const isReapplied = (requestId: string) =>
  until(async () => (await jobsOf(requestId, 'REAPPLY'))[0]?.status === 'SUCCEEDED', { timeoutMs: patience, what: 'access that is back' });
const nothing = { missing: [], surplus: [], error: '' };

test('when the target has what grants say, then nothing is found, and nobody who has access notices', async () => {
  const { resourceId, grantId, requestId } = await give();
  const credential = await credentialOf(grantId);
  expect(await reconcile(resourceId)).toMatchObject({ status: 'SUCCEEDED', ...nothing });
  expect(await logsIn(credential)).toBe(true);
  expect(await jobsOf(requestId, 'REAPPLY')).toEqual([]);
});

test('when a role was dropped by hand while its grant is active, then it comes back, its holder may read a credential again, and it ends', async () => {
  const { resourceId, grantId, requestId, role } = await give();
  const former = await credentialOf(grantId);
  await takenAway(role);
  const report = await reconcile(resourceId);
  expect(report).toMatchObject({ status: 'SUCCEEDED', surplus: [], missing: [{ grantId, holderId: suite.requester.id, role: 'reader' }] });
  await isReapplied(requestId);
  expect(await logsIn(former)).toBe(false);
  const credential = await credentialOf(grantId);
  expect(await logsIn(credential)).toBe(true);
  const { rows } = await target.sql.query(
    "select rolvaliduntil > now() + interval '59 minutes' as long, rolvaliduntil < now() + interval '1 hour' as short from pg_roles where rolname = $1",
    [role],
  );
  expect(rows).toEqual([{ long: true, short: true }]);
  expect(await reconcile(resourceId)).toMatchObject(nothing);
  await suite.withdraw(requestId);
  await suite.grantIs(requestId, ['REVOKED'], patience);
  expect(await exists(role)).toBe(false);
  const actions = await suite.actions(requestId);
  expect(actions.filter((action) => action.startsWith('GRANT_'))).toEqual([
    'GRANT_ACTIVATED',
    'GRANT_REAPPLIED',
    'GRANT_REVOCATION_STARTED',
    'GRANT_REVOKED',
  ]);
  expect((await suite.actions(resourceId)).filter((action) => action === 'DRIFT_FOUND')).toHaveLength(1);
});

test.each<[string, (role: string) => string]>([
  [
    'has lost what its access means',
    (role) => `revoke "${target.roles.reader.replaceAll('"', '""')}" from "${role}" granted by "${target.loginName}"`,
  ],
  ['may not log in any more', (role) => `alter role "${role}" nologin`],
])('when the role %s, then that counts as missing, and is put right', async (_, change) => {
  const { resourceId, grantId, requestId, role } = await give();
  await target.sql.query(change(role));
  expect((await reconcile(resourceId)).missing).toMatchObject([{ grantId }]);
  await isReapplied(requestId);
  expect(await logsIn(await credentialOf(grantId))).toBe(true);
});

test('when a role is there whose grant has ended, then it is taken away', async () => {
  const { resourceId, requestId, key, role } = await give();
  await suite.withdraw(requestId);
  await suite.grantIs(requestId, ['REVOKED'], patience);
  await target.sql.query(`create role "${role}" login; grant "${role}" to "${target.loginName}" with admin true`);
  const report = await reconcile(resourceId);
  expect(report).toMatchObject({ missing: [], foreign: [], surplus: [{ key, name: role, kind: 'role' }] });
  await until(async () => !(await exists(role)), { timeoutMs: patience });
  await until(async () => (await jobsOf(requestId, 'REVOKE')).every(({ status }) => status === 'SUCCEEDED'));
  expect((await suite.grant(requestId))?.status).toBe('REVOKED');
  expect(await reconcile(resourceId)).toMatchObject(nothing);
});

test('when a role is left of a job that has failed, then it is taken away, and the job can be run again', async () => {
  const { resourceId } = await give();
  const missing = `missing_${newId()}`;
  const requestId = await suite.approve({ connector: 'postgres', resourceId, config: { ...config(), roles: { reader: [missing] } } });
  const { id: key } = await suite.jobIs(requestId, 'FAILED', patience);
  await target.sql.query(`create role "${roleOf(key)}"; grant "${roleOf(key)}" to "${target.loginName}" with admin true`);
  await target.sql.query(
    'insert into accessops.access (key, role_name, fence, present) values ($1, $2, 1, true) on conflict (key) do nothing',
    [key, roleOf(key)],
  );
  expect((await reconcile(resourceId)).surplus).toMatchObject([{ key }]);
  await until(async () => !(await exists(roleOf(key))));
  await until(async () => (await jobsOf(requestId, 'REVOKE')).every(({ status }) => status === 'SUCCEEDED'));

  await target.sql.query(`create role "${missing}"; grant "${missing}" to "${target.loginName}" with admin true, inherit false, set false`);
  await (await admin()).retryJob({ id: key });
  const grant = await suite.grantIs(requestId, ['ACTIVE'], patience);
  expect(await exists(roleOf(key))).toBe(true);
  await (await admin()).revokeGrant({ id: grant.id });
  await suite.grantIs(requestId, ['REVOKED'], patience);
  await target.sql.query(`drop role "${missing}"`);
});

test('when a job is run again while the rest of it is being taken away, then its access stays, and the removal is given up for good', async () => {
  const requester = person(suite.tenantId, 'requester');
  const resourceId = newId();
  await suite.grantIs(await suite.approve({ resourceId }), ['ACTIVE'], patience);
  const isActive = (active: boolean) =>
    until(async () => (await suite.sql.query('select from holder where user_id = $1 and active = $2', [requester.id, active])).rowCount, {
      timeoutMs: patience,
    });
  await suite.tellUser(requester, false, 1);
  await isActive(false);
  const requestId = await suite.approve({ resourceId, requester, ...gated });
  const { id: key } = await suite.jobIs(requestId, 'FAILED', patience);
  await suite.tellUser(requester, true, 2);
  await isActive(true);
  await suite.sql.query('update simulated_target set present = true where key = $1', [key]);

  suite.gate.close();
  expect((await reconcile(resourceId)).surplus).toMatchObject([{ key }]);
  const removal = await until(async () => (await suite.job(requestId, 'REVOKE'))?.status === 'RUNNING' && suite.job(requestId, 'REVOKE'), {
    timeoutMs: patience,
  });
  await (await admin()).retryJob({ id: key });
  suite.gate.open();
  await suite.grantIs(requestId, ['ACTIVE'], patience);
  expect(await suite.target(key)).toMatchObject({ present: true });
  expect(await suite.job(requestId, 'REVOKE')).toMatchObject({ id: removal?.id, status: 'FAILED' });
  await expect((await admin()).retryJob({ id: String(removal?.id) })).rejects.toMatchObject({ code: 'JOB_NOT_FAILED' });
  expect(await reconcile(resourceId)).toMatchObject({ missing: [], surplus: [] });
});

test('when others have given the same, then they are reported, also when they look like ours, and nobody touches them', async () => {
  const { resourceId } = await give();
  const [person, platform] = [`person_${newId()}`, roleOf(newId())];
  const group = `team_${newId()}`;
  const reader = target.roles.reader.replaceAll('"', '""');
  await target.sql.query(`create role "${person}" login; create role "${platform}" login; create role "${group}"`);
  await target.sql.query(`grant "${reader}" to "${group}", "${platform}"; grant "${group}" to "${person}"`);
  try {
    const report = await reconcile(resourceId);
    expect(report).toMatchObject({ ...nothing, status: 'SUCCEEDED' });
    expect(report.foreign).toEqual(
      expect.arrayContaining([person, platform].map((name) => expect.objectContaining({ name, kind: 'role' }))),
    );
    expect(report.foreign.map(({ name }) => name)).not.toContain(target.loginName);
    expect(await exists(person)).toBe(true);
    expect(await exists(platform)).toBe(true);
    await reconcile(resourceId);
    // The same again is no news.
    expect((await suite.actions(resourceId)).filter((action) => action === 'DRIFT_FOUND')).toHaveLength(1);
  } finally {
    await target.sql.query(`drop role "${person}", "${platform}", "${group}"`);
  }
});

test('when several resources and tenants share a target, then each is judged for itself, and no word is said of the others', async () => {
  const [mine, other] = [await give(), await give({ config: { login: 'copy' } })];
  const abroad = { ...suite.requester, id: newId(), tenantId: newId() };
  await suite.tellSlug('acme', abroad.tenantId);
  const requestId = await suite.approve({ connector: 'postgres', requester: abroad, config: config() });
  await suite.grantIs(requestId, ['ACTIVE'], patience);
  const theirs = roleOf((await suite.jobIs(requestId, 'SUCCEEDED', patience)).id);
  await suite.tell('requests', RequestWithdrawnSchema, { requestId }, { aggregateId: requestId, tenantId: abroad.tenantId });
  await suite.grantIs(requestId, ['REVOKED'], patience);
  // Left over, but not ours to judge.
  await target.sql.query(`create role "${theirs}" login; grant "${target.roles.reader.replaceAll('"', '""')}" to "${theirs}"`);
  const report = await reconcile(mine.resourceId);
  expect(report).toMatchObject(nothing);
  expect(report.foreign.map(({ name }) => name)).not.toEqual(expect.arrayContaining([theirs]));
  expect(report.foreign.map(({ name }) => name)).not.toEqual(expect.arrayContaining([other.role]));
  expect(await exists(theirs)).toBe(true);
  expect(await exists(other.role)).toBe(true);
  await target.sql.query(`drop role "${theirs}"`);
});

test('when access is gone from the target at the very moment of its end, then it does not come back', async () => {
  const given = await Promise.all(Array.from({ length: 6 }, () => give()));
  for (const { role } of given) await takenAway(role);
  const client = await admin();
  // Ended before, while and after it is found to be missing.
  await Promise.all(
    given.map(async ({ resourceId, grantId, requestId }, at) => {
      const looked = reconcile(resourceId);
      if (at % 3 === 1) await until(async () => (await jobsOf(requestId, 'REAPPLY')).length > 0, { timeoutMs: patience });
      if (at % 3 === 2) await isReapplied(requestId);
      await client.revokeGrant({ id: grantId });
      await looked;
    }),
  );
  for (const { requestId, resourceId, role } of given) {
    await suite.grantIs(requestId, ['REVOKED'], patience);
    expect(await reconcile(resourceId)).toMatchObject(nothing);
    expect(await exists(role)).toBe(false);
    expect(await jobsOf(requestId, 'REVOKE')).toEqual([{ status: 'SUCCEEDED' }]);
  }
});

test('when the holder may hold nothing any more, or the time is up, then nothing is put back', async () => {
  const someone = { ...suite.requester, id: newId() };
  const resourceId = newId();
  const requestId = await suite.approve({ connector: 'postgres', requester: someone, resourceId, config: config() });
  const short = await give({ resourceId });
  await suite.endsIn(short.grantId, 0);
  await suite.grantIs(requestId, ['ACTIVE'], patience);
  const role = roleOf((await suite.jobIs(requestId, 'SUCCEEDED', patience)).id);
  await takenAway(role);
  await Promise.all([suite.tellUser(someone, false, 7), reconcile(resourceId)]);
  await suite.grantIs(requestId, ['REVOKED'], patience);
  await suite.grantIs(short.requestId, ['EXPIRED'], patience);
  expect(await reconcile(resourceId)).toMatchObject(nothing);
  expect([await exists(role), await exists(short.role)]).toEqual([false, false]);
});

test('when several ask at once, then there is one run, and what is missing is put back once', async () => {
  const { resourceId, requestId, role } = await give();
  await takenAway(role);
  let asked = 0;
  const askTogether = async () => {
    const client = await admin();
    asked += 1;
    const runs = await Promise.all(Array.from({ length: 8 }, () => client.reconcileResource({ resourceId })));
    const [id = '', ...others] = new Set(runs.map((run) => run.id));
    expect(others).toEqual([]);
    return (await reportOf({ id, resourceId })).status === 'SUCCEEDED';
  };
  // The target may have stood still for a moment.
  await until(askTogether, { timeoutMs: patience, what: 'a comparison' });
  await isReapplied(requestId);
  await until(askTogether, { timeoutMs: patience, what: 'a comparison' });
  expect(await jobsOf(requestId, 'REAPPLY')).toHaveLength(1);
  const { rows } = await suite.sql.query(
    'select max(attempts) as attempts, count(*)::integer as runs from reconciliation where resource_id = $1',
    [resourceId],
  );
  expect(rows).toEqual([{ attempts: 1, runs: asked }]);
  expect((await suite.actions(resourceId)).filter((action) => action === 'RECONCILIATION_REQUESTED')).toHaveLength(asked);
});

test('when the target is down, then the run says so and changes nothing, and the next one is well', async () => {
  const { resourceId, requestId } = await give();
  proxy.set({ kind: 'down' });
  expect(await reconcileOnce(resourceId)).toMatchObject({
    status: 'FAILED',
    missing: [],
    error: expect.stringMatching(/cannot be reached/),
  });
  proxy.set({ kind: 'deaf' });
  expect(await reconcileOnce(resourceId)).toMatchObject({
    status: 'FAILED',
    missing: [],
    error: expect.stringMatching(/in time|cannot be reached/),
  });
  proxy.set({ kind: 'none' });
  expect(await reconcile(resourceId)).toMatchObject({ status: 'SUCCEEDED', ...nothing });
  expect(await jobsOf(requestId, 'REAPPLY')).toEqual([]);
});

test("when a resource is nobody's, then there is no report; a manager reads one, and only an admin has it made", async () => {
  const { resourceId } = await give();
  const [manager, requester] = [await suite.as({ ...suite.admin, orgRoles: ['manager'] }), await suite.as(suite.requester)];
  const stranger = await suite.as({ ...suite.admin, tenantId: newId() });
  for (const asked of [newId(), 'x']) {
    await expect((await admin()).reconcileResource({ resourceId: asked })).rejects.toMatchObject({ code: 'DRIFT_NOT_KNOWN' });
    await expect(manager.getDrift({ resourceId: asked })).rejects.toMatchObject({ code: 'DRIFT_NOT_KNOWN' });
  }
  await expect(stranger.getDrift({ resourceId })).rejects.toMatchObject({ code: 'DRIFT_NOT_KNOWN' });
  await expect(stranger.reconcileResource({ resourceId })).rejects.toMatchObject({ code: 'DRIFT_NOT_KNOWN' });
  expect(await manager.getDrift({ resourceId })).toMatchObject({ status: 'NEVER', resourceId });
  await expect(manager.reconcileResource({ resourceId })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  await expect(requester.getDrift({ resourceId })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('when the resource is removed, then it is not looked at any more', async () => {
  const { resourceId } = await give();
  await reconcile(resourceId);
  const change = { action: 'RESOURCE_DELETED', entityType: 'RESOURCE', entityId: resourceId };
  await suite.tell('requests', ResourceChangedSchema, { resourceId, change }, { aggregateId: resourceId });
  const client = await admin();
  const isKnown = () =>
    client.getDrift({ resourceId }).then(
      () => true,
      () => false,
    );
  await until(async () => !(await isKnown()));
  await expect(client.reconcileResource({ resourceId })).rejects.toMatchObject({ code: 'DRIFT_NOT_KNOWN' });
});

test('when a resource is compared again and again, then only the latest reports are kept', async () => {
  const { resourceId } = await give();
  for (let n = 0; n < 12; n++) await reconcile(resourceId);
  const { rows } = await suite.sql.query('select count(*)::integer as kept from reconciliation where resource_id = $1', [resourceId]);
  expect(rows).toEqual([{ kept: 10 }]);
});

test('when it is time, then resources are compared without anybody asking, once each', async () => {
  const { resourceId, requestId, role } = await give();
  await takenAway(role);
  const runs = async () => (await suite.sql.query('select by_hand, status from reconciliation where resource_id = $1', [resourceId])).rows;
  const isOver = ({ status }: { status: string }) => status === 'SUCCEEDED' || status === 'FAILED';
  let times = 0;
  await until(
    async () => {
      times += 1;
      await suite.sql.query(`update reconciled_resource set looked_at = now() - interval '61 minutes' where resource_id = $1`, [
        resourceId,
      ]);
      await until(async () => (await runs()).filter(isOver).length === times, { timeoutMs: patience, what: 'a run that is over' });
      // The target may have stood still for a moment: then it is time again.
      return (await runs()).some(({ status }) => status === 'SUCCEEDED');
    },
    { timeoutMs: patience, what: 'a comparison' },
  );
  await isReapplied(requestId);
  expect((await runs()).filter(({ status }) => status === 'SUCCEEDED')).toEqual([{ by_hand: false, status: 'SUCCEEDED' }]);
  expect(await runs()).toHaveLength(times);
});
