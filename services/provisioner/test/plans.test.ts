import { newId } from '@accessops/db';
import { RequestClosedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { gated } from './gate.ts';
import { type Person, person, type Suite, startSuite } from './suite.ts';

/** Such plans are not made while a request is being told of. */
const takingTime = { config: { latencyMs: 1 } };

const password = 'hands-of-accessops';

let suite: Suite;
beforeAll(async () => {
  const { tenantId } = (suite = await startSuite({ instances: 0 }));
  await suite.start(undefined, {
    CONNECTOR_POSTGRES_PROD_URL: `postgres://hands:${password}@127.0.0.1:1/prod`,
    CONNECTOR_POSTGRES_PROD_TENANTS: tenantId,
  });
});
afterEach(() => suite.gate.open());
afterAll(() => suite.close());

const planOf = async (requestId: string, who: Person = suite.admin) => (await suite.as(who)).getPlan({ requestId });

const planIs = (requestId: string, status: string) =>
  until(
    async () => {
      const plan = await planOf(requestId);
      return plan.status === status && plan;
    },
    { timeoutMs: 50_000, what: `a plan that is ${status}` },
  );

test('when a request waits for a decision, then its plan names what is made once it is approved', async () => {
  const filed = await suite.submit();
  const { steps, preparedAt, error } = await planIs(filed.requestId, 'READY');
  expect(steps).toEqual([expect.stringMatching(/^Create sim_[0-9a-f]{16} on staging-db with the role reader$/)]);
  expect(preparedAt).toBeDefined();
  expect(error).toBe('');
  await suite.approve(filed);
  const { id } = await suite.grantIs(filed.requestId, ['ACTIVE']);
  const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: id });
  expect(steps.join()).toContain((JSON.parse(credentialJson) as { username: string }).username);
  expect((await planOf(filed.requestId)).steps).toEqual(steps);
});

test('when somebody asks for a plan, then whoever may read the request gets it, and nobody else', async () => {
  const teamId = newId();
  const { requestId } = await suite.submit({}, { roles: ['approver'], teamId });
  await planIs(requestId, 'READY');
  const { tenantId } = suite;
  for (const who of [suite.requester, suite.admin, person(tenantId, 'approver'), person(tenantId, 'auditor')])
    expect(await planOf(requestId, who)).toMatchObject({ status: 'READY' });
  for (const who of [person(tenantId, 'requester'), person(tenantId)])
    await expect(planOf(requestId, who)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  expect(await planOf(requestId, person(newId(), 'admin'))).toMatchObject({ status: 'PENDING', steps: [] });
});

test('when a request was approved at once, then its plan can be read all the same, by whom it concerns', async () => {
  const requestId = await suite.approve();
  await suite.grantIs(requestId, ['ACTIVE']);
  expect(await planOf(requestId, suite.requester)).toMatchObject({ status: 'READY', steps: [expect.stringContaining('staging-db')] });
  await expect(planOf(requestId, person(suite.tenantId, 'requester'))).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('when a target hangs, then its plan is waited for, and nothing else is', async () => {
  suite.gate.close();
  const slow = await Promise.all(Array.from({ length: 3 }, () => suite.submit({ ...takingTime, ...gated })));
  const { requestId } = await suite.submit();
  await planIs(requestId, 'READY');
  await suite.grantIs(await suite.approve(), ['ACTIVE']);
  for (const { requestId: waiting } of slow) expect(await planOf(waiting)).toMatchObject({ status: 'PENDING' });
  suite.gate.open();
  for (const { requestId: waiting } of slow) await planIs(waiting, 'READY');
});

test('when the connector refuses, then the plan has failed and says why; a setting that is still unheard of is waited for', async () => {
  const refused = await suite.submit({ connector: 'nothing' });
  expect(await planIs(refused.requestId, 'FAILED')).toMatchObject({ steps: [], error: 'There is no connector "nothing"' });
  const elsewhere = person(newId(), 'admin');
  const { requestId } = await suite.submit({
    requester: elsewhere,
    connector: 'postgres',
    config: { login: 'prod', roles: { reader: ['customer_reader'] } },
  });
  await until(async () => (await planOf(requestId, elsewhere)).error);
  expect(await planOf(requestId, elsewhere)).toMatchObject({
    status: 'PENDING',
    error: 'There is no login "prod" that this organisation may use',
  });
});

test('when the plan is made of a login, then nothing of its secrets is in it', async () => {
  const { requestId } = await suite.submit({ connector: 'postgres', config: { login: 'prod', roles: { reader: ['customer_reader'] } } });
  const { steps } = await planIs(requestId, 'READY');
  expect(steps.join()).toContain('customer_reader');
  const { rows } = await suite.sql.query('select * from plan where request_id = $1', [requestId]);
  expect(JSON.stringify([steps, rows])).not.toContain(password);
});

test('when the resource type was changed before the approval, then what is approved is planned anew', async () => {
  const filed = await suite.submit({ connector: 'nothing' });
  await planIs(filed.requestId, 'FAILED');
  await suite.approve({ ...filed, connector: 'simulated' });
  const { steps } = await planIs(filed.requestId, 'READY');
  const { id } = await suite.grantIs(filed.requestId, ['ACTIVE']);
  const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: id });
  expect(steps.join()).toContain((JSON.parse(credentialJson) as { username: string }).username);
});

test('when a request is over before its plan is made, then none is made any more', async () => {
  suite.gate.close();
  const { requestId } = await suite.submit({ ...takingTime, ...gated });
  await suite.tell('requests', RequestClosedSchema, { requestId, status: 'CANCELLED' }, { aggregateId: requestId });
  expect(await planIs(requestId, 'FAILED')).toMatchObject({ error: 'The request was over before its plan was made' });
});

test('when the submission is told again, or comes after the approval, then there is one plan, and it names what was made', async () => {
  const late = { requestId: newId(), resourceId: newId() };
  await suite.approve(late);
  const { id } = await suite.jobIs(late.requestId, 'SUCCEEDED');
  await suite.submit(late);
  await suite.submit(late);
  const { steps } = await until(async () => {
    const { rows } = await suite.sql.query('select * from plan where request_id = $1', [late.requestId]);
    return rows.length === 1 && planIs(late.requestId, 'READY');
  });
  expect(steps.join()).toContain(id.replaceAll('-', '').slice(-16));
});
