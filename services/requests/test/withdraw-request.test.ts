import { newId } from '@accessops/db';
import { GrantActivatedSchema, GrantEndedSchema, RequestWithdrawnSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, outcomes, type Person, refused, requestFields, Suite, Tenant, unknownId } from './suite.ts';

describe('withdrawing a request', () => {
  let suite: Suite;
  let tenant: Tenant;
  let requester: Person;
  let type: { id: string };

  beforeAll(async () => {
    suite = await Suite.start();
    tenant = new Tenant(suite);
    requester = await tenant.person(['requester']);
    type = await tenant.type({ sensitivity: 'low' });
  });
  afterAll(() => suite.stop());

  const active = async () => {
    const { id } = await suite.client.submitRequest(requestFields(await tenant.resource(type), { duration: 'PT1H' }), requester);
    const grantId = newId();
    await suite.tell(
      'provisioner',
      GrantActivatedSchema,
      { requestId: id, grantId, jobId: newId() },
      { tenantId: tenant.id, aggregateId: id },
    );
    await suite.settled();
    return { id, grantId };
  };
  const withdrawals = async (id: string) => (await suite.toldOf(id)).filter(({ action }) => action === 'REQUEST_WITHDRAWN');

  test('when access is active, then its end is asked for once, however often it is given back', async () => {
    const { id, grantId } = await active();
    expect(await outcomes(Array.from({ length: 5 }, () => suite.client.withdrawRequest({ id }, requester)))).toEqual(Array(5).fill('OK'));
    expect((await suite.client.withdrawRequest({ id }, requester)).status).toBe('ACTIVE');
    const told = await withdrawals(id);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ type: 'RequestWithdrawn', actor: { id: requester.id } });
    expect(fromBinary(RequestWithdrawnSchema, told[0]?.payload ?? new Uint8Array())).toMatchObject({ requestId: id, grantId });
  });

  test('when the grant has ended, then the request is REVOKED and cannot be withdrawn again', async () => {
    const { id, grantId } = await active();
    await suite.client.withdrawRequest({ id }, requester);
    await suite.tell(
      'provisioner',
      GrantEndedSchema,
      { requestId: id, grantId, status: 'REVOKED' },
      { tenantId: tenant.id, aggregateId: id },
    );
    await suite.settled();
    const error = await refused(suite.client.withdrawRequest({ id }, requester));
    expect([error.code, error.httpStatus]).toEqual(['REQUEST_NOT_ACTIVE', 409]);
    expect(error.message).toContain('REVOKED');
    expect((await suite.client.getRequest({ id }, requester)).status).toBe('REVOKED');
  });

  test('when it is not active yet, then it is refused', async () => {
    const { id } = await tenant.pending(requester);
    expect(await codeOf(suite.client.withdrawRequest({ id }, requester))).toBe('REQUEST_NOT_ACTIVE');
  });

  test('when anybody else withdraws, then it is refused', async () => {
    const { id } = await active();
    for (const role of ['admin', 'approver', 'requester']) {
      expect(await codeOf(suite.client.withdrawRequest({ id }, await tenant.person([role])))).toBe('PERMISSION_DENIED');
    }
    expect(await codeOf(suite.client.withdrawRequest({ id }, await new Tenant(suite).admin))).toBe('REQUEST_NOT_FOUND');
    expect(await codeOf(suite.client.withdrawRequest({ id: unknownId }, requester))).toBe('REQUEST_NOT_FOUND');
    expect(await withdrawals(id)).toEqual([]);
  });
});
