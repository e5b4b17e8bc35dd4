import { ApprovalDecidedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, type Person, requestFields, Suite, Tenant, unknownId } from './suite.ts';

describe('settling a request', () => {
  let suite: Suite;
  let tenant: Tenant;
  let requester: Person;
  let approvals: Person;
  let type: { id: string };

  beforeAll(async () => {
    suite = await Suite.start();
    tenant = new Tenant(suite);
    [requester, approvals] = await Promise.all([tenant.person(['requester']), tenant.approvals()]);
    type = await tenant.type();
  });
  afterAll(() => suite.stop());

  const decider = { id: unknownId, type: 'user', email: 'approver@example.test' };
  const pending = async () => suite.client.submitRequest(requestFields(await tenant.resource(type)), requester);
  const settle = (id: string, outcome: string, who = approvals) => suite.client.settleRequest({ id, outcome, decider }, who);
  const tell = (id: string, outcome: string) =>
    suite.tell('approvals', ApprovalDecidedSchema, { requestId: id, outcome, decider }, { tenantId: tenant.id, aggregateId: id });

  test.each([['APPROVED'], ['REJECTED']])('when the outcome is %s, then the request is, and the decider did it', async (outcome) => {
    const { id } = await pending();
    expect((await settle(id, outcome)).status).toBe(outcome);
    const told = await suite.toldOf(id);
    expect(told[1]).toMatchObject({ action: `REQUEST_${outcome}`, actor: { id: decider.id, type: 'user' } });
    expect(told).toHaveLength(2);
  });

  test('when it is settled again, by call or by event, then nothing more happens', async () => {
    const { id } = await pending();
    await settle(id, 'APPROVED');
    expect((await settle(id, 'APPROVED')).status).toBe('APPROVED');
    expect((await settle(id, 'REJECTED')).status).toBe('APPROVED');
    await tell(id, 'APPROVED');
    await suite.settled();
    expect(await suite.actionsOf(id)).toEqual(['REQUEST_CREATED', 'REQUEST_APPROVED']);
  });

  test('when only the event comes, then it settles the request just so', async () => {
    const { id } = await pending();
    await tell(id, 'REJECTED');
    await suite.settled();
    expect((await suite.client.getRequest({ id }, requester)).status).toBe('REJECTED');
    expect((await suite.toldOf(id))[1]).toMatchObject({ action: 'REQUEST_REJECTED', actor: { id: decider.id }, requestId: 'told' });
  });

  test('when call and event come at once, then one of them acts, twenty times', async () => {
    for (let trial = 0; trial < 20; trial++) {
      const { id } = await pending();
      await Promise.all([settle(id, 'APPROVED'), tell(id, 'APPROVED')]);
      await suite.settled();
      expect(await suite.actionsOf(id)).toEqual(['REQUEST_CREATED', 'REQUEST_APPROVED']);
    }
  });

  test('when it is approved and rejected at the same moment, then one outcome stands, and both callers hear it, fifty times', async () => {
    for (let trial = 0; trial < 50; trial++) {
      const { id } = await pending();
      const order = trial % 2 ? ['APPROVED', 'REJECTED'] : ['REJECTED', 'APPROVED'];
      const answers = await Promise.all(order.map((outcome) => settle(id, outcome)));
      const [status] = answers.map((answer) => answer.status);
      expect(answers.map((answer) => answer.status)).toEqual([status, status]);
      expect(await suite.actionsOf(id)).toEqual(['REQUEST_CREATED', `REQUEST_${status}`]);
    }
  });

  test('when it was cancelled, then the answer says so', async () => {
    const { id } = await pending();
    await suite.client.cancelRequest({ id }, requester);
    expect((await settle(id, 'APPROVED')).status).toBe('CANCELLED');
    expect(await suite.actionsOf(id)).toEqual(['REQUEST_CREATED', 'REQUEST_CANCELLED']);
  });

  test('when anybody but the approvals service settles, then it is refused', async () => {
    const { id } = await pending();
    for (const who of [await tenant.admin, await tenant.person(['approver']), requester]) {
      expect(await codeOf(settle(id, 'APPROVED', who))).toBe('PERMISSION_DENIED');
    }
    expect((await suite.client.getRequest({ id }, requester)).status).toBe('PENDING');
  });

  test('when there is no such request in the tenant, then it is not found', async () => {
    const { id } = await pending();
    expect(await codeOf(settle(unknownId, 'APPROVED'))).toBe('REQUEST_NOT_FOUND');
    expect(await codeOf(settle(id, 'APPROVED', await new Tenant(suite).approvals()))).toBe('REQUEST_NOT_FOUND');
  });

  test('when the outcome is none, then nothing changes', async () => {
    const { id } = await pending();
    expect(await codeOf(settle(id, 'ACTIVE'))).toBe('INVALID_FIELDS');
    expect((await suite.client.getRequest({ id }, requester)).status).toBe('PENDING');
  });
});
