import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, outcomes, type Person, refused, requestFields, Suite, Tenant, unknownId } from './suite.ts';

describe('cancelling a request', () => {
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

  const pending = async () => suite.client.submitRequest(requestFields(await tenant.resource(type)), requester);
  const statusOf = async (id: string) => (await suite.client.getRequest({ id }, requester)).status;

  test('when the requester cancels, then it is over, and one event tells of it', async () => {
    const { id } = await pending();
    expect(await suite.client.cancelRequest({ id }, requester)).toMatchObject({ id, status: 'CANCELLED', version: 2 });
    const told = await suite.toldOf(id);
    expect(told.map(({ action }) => action)).toEqual(['REQUEST_CREATED', 'REQUEST_CANCELLED']);
    expect(told[1]).toMatchObject({
      type: 'RequestClosed',
      actor: { id: requester.id, type: 'user' },
      changes: { status: { before: 'PENDING', after: 'CANCELLED' } },
    });
  });

  test('when it no longer waits, then the refusal says where it is', async () => {
    const { id } = await pending();
    await suite.client.settleRequest({ id, outcome: 'APPROVED' }, approvals);
    const error = await refused(suite.client.cancelRequest({ id }, requester));
    expect([error.code, error.httpStatus]).toEqual(['REQUEST_NOT_PENDING', 409]);
    expect(error.message).toContain('APPROVED');
    expect(await statusOf(id)).toBe('APPROVED');
  });

  test('when anybody else cancels, then it is refused', async () => {
    const { id } = await pending();
    for (const role of ['admin', 'approver', 'requester']) {
      expect(await codeOf(suite.client.cancelRequest({ id }, await tenant.person([role])))).toBe('PERMISSION_DENIED');
    }
    expect(await codeOf(suite.client.cancelRequest({ id }, approvals))).toBe('PERMISSION_DENIED');
    expect(await statusOf(id)).toBe('PENDING');
  });

  test('when it is of another tenant or nowhere, then it is not found', async () => {
    const { id } = await pending();
    const stranger = await new Tenant(suite).admin;
    expect(await codeOf(suite.client.cancelRequest({ id }, stranger))).toBe('REQUEST_NOT_FOUND');
    for (const wrong of [unknownId, 'nonsense']) {
      expect(await codeOf(suite.client.cancelRequest({ id: wrong }, requester))).toBe('REQUEST_NOT_FOUND');
    }
  });

  test('when it is cancelled five times at once, then one call does it', async () => {
    const { id } = await pending();
    const results = await outcomes(Array.from({ length: 5 }, () => suite.client.cancelRequest({ id }, requester)));
    expect(results.sort()).toEqual(['OK', ...Array.from({ length: 4 }, () => 'REQUEST_NOT_PENDING')]);
    expect(await suite.actionsOf(id)).toEqual(['REQUEST_CREATED', 'REQUEST_CANCELLED']);
  });

  test('when it is cancelled and approved at the same moment, then exactly one happens, fifty times', async () => {
    for (let trial = 0; trial < 50; trial++) {
      const { id } = await pending();
      const cancel = () => suite.client.cancelRequest({ id }, requester);
      const settle = () => suite.client.settleRequest({ id, outcome: 'APPROVED' }, approvals);
      const [first, second] = trial % 2 ? [cancel(), settle()] : [settle(), cancel()];
      const [cancelling, settling] = trial % 2 ? [first, second] : [second, first];
      const [[cancelled = ''], { status }] = await Promise.all([outcomes([cancelling]), settling]);
      expect([`${cancelled} ${status}`]).toEqual([cancelled === 'OK' ? 'OK CANCELLED' : 'REQUEST_NOT_PENDING APPROVED']);
      expect(await statusOf(id)).toBe(status);
      expect(await suite.actionsOf(id)).toEqual(['REQUEST_CREATED', status === 'CANCELLED' ? 'REQUEST_CANCELLED' : 'REQUEST_APPROVED']);
    }
  });
});
