import { newId } from '@accessops/db';
import {
  GrantActivatedSchema,
  GrantEndedSchema,
  GrantExtendedSchema,
  JobFailedSchema,
  JobQueuedSchema,
  RequestApprovedSchema,
} from '@accessops/proto/accessops/events/v1/events_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, outcomes, type Person, refused, requestFields, Suite, Tenant, unknownId } from './suite.ts';

describe('extending access', () => {
  let suite: Suite;
  let tenant: Tenant;
  let requester: Person;
  let types: Record<'low' | 'medium', { id: string }>;

  beforeAll(async () => {
    suite = await Suite.start();
    tenant = new Tenant(suite);
    requester = await tenant.person(['requester']);
    types = { low: await tenant.type({ sensitivity: 'low', maxDuration: 'PT4H' }), medium: await tenant.type({ maxDuration: 'PT4H' }) };
  });
  afterAll(() => suite.stop());

  const tell = <D extends Parameters<Suite['tell']>[1]>(schema: D, message: never, aggregateId: string) =>
    suite.tell('provisioner', schema, message, { tenantId: tenant.id, aggregateId });
  const active = async (type = types.low, duration = 'PT1H') => {
    const { id } = await suite.client.submitRequest(requestFields(await tenant.resource(type), { duration }), requester);
    if (type === types.medium) await suite.client.settleRequest({ id, outcome: 'APPROVED' }, await tenant.approvals());
    const grantId = newId();
    await tell(GrantActivatedSchema, { requestId: id, grantId, jobId: newId() } as never, id);
    await suite.settled();
    return { id, grantId };
  };
  const extend = (id: string, duration = 'PT1H', by = requester) => suite.client.extendRequest({ id, duration }, by);
  const extended = async (first: { id: string; grantId: string }, extensionId: string) => {
    const message = { requestId: first.id, grantId: first.grantId, extensionRequestId: extensionId, jobId: newId() };
    await tell(GrantExtendedSchema, message as never, first.id);
  };
  const end = (first: { id: string; grantId: string }, status: string) =>
    tell(GrantEndedSchema, { requestId: first.id, grantId: first.grantId, status } as never, first.id);
  const statusOf = async (id: string) => (await suite.client.getRequest({ id }, requester)).status;

  test('when access is extended, then that is a request of its own, decided on as one for the whole time, and ends with the access', async () => {
    const first = await active();
    const extension = await extend(first.id);
    expect(extension).toMatchObject({
      status: 'PENDING',
      requiredApprovals: 1,
      duration: 'PT1H',
      extendsRequestId: first.id,
      role: 'reader',
    });
    expect(extension.id).not.toBe(first.id);
    expect(await statusOf(first.id)).toBe('ACTIVE');
    await suite.client.settleRequest({ id: extension.id, outcome: 'APPROVED' }, await tenant.approvals());
    const told = (await suite.toldOf(extension.id)).find(({ action }) => action === 'REQUEST_APPROVED');
    expect(fromBinary(RequestApprovedSchema, told?.payload ?? new Uint8Array())).toMatchObject({
      extendsRequestId: first.id,
      duration: 'PT1H',
    });
    await tell(JobQueuedSchema, { requestId: extension.id, jobId: newId(), kind: 'EXTEND' } as never, extension.id);
    await extended(first, extension.id);
    await suite.settled();
    expect(await suite.client.getRequest({ id: extension.id }, requester)).toMatchObject({ status: 'ACTIVE', grantId: first.grantId });
    await end(first, 'EXPIRED');
    await suite.settled();
    expect([await statusOf(first.id), await statusOf(extension.id)]).toEqual(['EXPIRED', 'EXPIRED']);
    expect((await suite.actionsOf(extension.id)).at(-1)).toBe('REQUEST_EXPIRED');
  });

  test('when all of it together would be longer than the type allows, then the field says how much is left', async () => {
    const first = await active(types.medium, 'PT2H');
    expect(await refused(extend(first.id, 'PT2H1S'))).toMatchObject({ code: 'INVALID_FIELDS', fields: [{ pointer: '/duration' }] });
    for (const wrong of ['', '4h', 'PT0S', 'P1M']) expect(await codeOf(extend(first.id, wrong))).toBe('INVALID_FIELDS');
    const extension = await extend(first.id, 'PT1H');
    await suite.client.settleRequest({ id: extension.id, outcome: 'APPROVED' }, await tenant.approvals());
    await extended(first, extension.id);
    await suite.settled();
    expect((await refused(extend(extension.id, 'PT1H1S'))).fields[0]?.message).toContain('PT3600S');
    // Named by its extension, the access is the same.
    expect(await extend(extension.id, 'PT1H')).toMatchObject({ extendsRequestId: first.id });
  });

  test('when there is nothing to extend, or somebody else asks, then nothing is filed', async () => {
    const first = await active();
    const other = await tenant.person(['requester', 'admin']);
    expect(await codeOf(extend(first.id, 'PT1H', other))).toBe('PERMISSION_DENIED');
    expect(await codeOf(extend(first.id, 'PT1H', await new Tenant(suite).person(['requester'])))).toBe('REQUEST_NOT_FOUND');
    expect(await codeOf(extend(unknownId))).toBe('REQUEST_NOT_FOUND');
    await suite.client.withdrawRequest({ id: first.id }, requester);
    expect(await codeOf(extend(first.id))).toBe('REQUEST_NOT_ACTIVE');
    expect(await codeOf(extend((await tenant.pending(requester)).id))).toBe('REQUEST_NOT_ACTIVE');
  });

  test('when it is asked for many times at once, then one request is filed', async () => {
    const first = await active(types.medium);
    const all = await outcomes(Array.from({ length: 8 }, () => extend(first.id)));
    expect(all.sort()).toEqual(['OK', ...Array(7).fill('REQUEST_ALREADY_OPEN')]);
  });

  test('when the access ends while an extension waits, then that is LAPSED; when its job finds it gone, FAILED', async () => {
    const [waits, runs] = [await active(types.medium), await active(types.medium)];
    const [pending, approved] = [await extend(waits.id), await extend(runs.id)];
    await suite.client.settleRequest({ id: approved.id, outcome: 'APPROVED' }, await tenant.approvals());
    await Promise.all([end(waits, 'REVOKED'), end(runs, 'EXPIRED')]);
    await tell(
      JobFailedSchema,
      { requestId: approved.id, jobId: newId(), kind: 'EXTEND', error: 'The access has ended' } as never,
      approved.id,
    );
    await suite.settled();
    expect([await statusOf(pending.id), await statusOf(approved.id)]).toEqual(['LAPSED', 'FAILED']);
    expect((await suite.actionsOf(pending.id)).at(-1)).toBe('REQUEST_LAPSED');
    expect(await suite.client.settleRequest({ id: pending.id, outcome: 'APPROVED' }, await tenant.approvals())).toMatchObject({
      status: 'LAPSED',
    });
  });

  test('when the access ends as an extension is filed, then none is left waiting', async () => {
    const rounds = Array.from({ length: 20 }, async () => {
      const first = await active(types.medium);
      const [filed] = await Promise.all([outcomes([extend(first.id)]), end(first, 'EXPIRED')]);
      expect(['OK', 'REQUEST_NOT_ACTIVE']).toContain(filed[0]);
    });
    await Promise.all(rounds);
    await suite.settled();
    const { rows } = await suite.admin.query(
      `select count(*)::int as number from access_request e join access_request f on f.id = e.extends_request_id
       where e.status = 'PENDING' and f.status = 'EXPIRED'`,
    );
    expect(rows[0].number).toBe(0);
  });
});
