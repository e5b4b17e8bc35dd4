import { newId } from '@accessops/db';
import type { AuditEvent } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditorOf, changeOf, type Row, type Suite, startSuite, where } from './suite.ts';

let suite: Suite;
const tenantId = newId();
const other = newId();
const [alice, bob] = [newId(), newId()];
const request = newId();
let rows: Row[];

beforeAll(async () => {
  suite = await startSuite();
  const at = (minute: number) => ({ occurredAt: new Date(Date.UTC(2026, 10, 21, 12, minute)) });
  const by = (id: string) => ({ actor: { id, type: 'user', email: `${id}@acme.test` } });
  const origin = { requestId: 'call-7', ip: '', userAgent: '' };
  await suite.publish(
    'requests',
    changeOf(tenantId, { ...by(alice), entityId: request, origin }, at(0)),
    changeOf(tenantId, { ...by(bob), entityId: request, action: 'DECISION_RECORDED' }, at(1)),
    changeOf(tenantId, { ...by(bob), entityType: 'USER', action: 'USER_CREATED' }, at(3)),
    changeOf(tenantId, { ...by(alice), entityType: 'GRANT', action: 'GRANT_ACTIVATED', origin }, at(2)),
    changeOf(other, { ...by(alice), entityId: request, origin }, at(0)),
  );
  rows = await suite.log(tenantId, 4);
  await suite.log(other, 1);
});
afterAll(() => suite.close());

const list = async (query: Parameters<Suite['client']['listAuditEvents']>[0]['query'], tenant = tenantId) =>
  suite.client.listAuditEvents({ query }, await suite.as(auditorOf(tenant)));
const numbers = (items: AuditEvent[]) => items.map(({ sequence }) => Number(sequence));

test('when the log is listed, then the newest stands first, with all that was recorded', async () => {
  const { items, page } = await list({});
  expect(numbers(items)).toEqual([4, 3, 2, 1]);
  expect(page?.next).toBe('');
  const row = rows[0] as Row;
  const [first] = items.slice(-1) as [AuditEvent];
  expect(first).toMatchObject({
    id: row.id,
    tenantId,
    sequence: 1n,
    actor: { id: alice, type: 'user', email: `${alice}@acme.test` },
    action: 'REQUEST_CREATED',
    entityType: 'REQUEST',
    entityId: request,
    changesJson: '{"status":{"after":"PENDING","before":null}}',
    requestId: 'call-7',
    hash: row.hash.toString('hex'),
  });
  expect(first.occurredAt && timestampDate(first.occurredAt).toISOString()).toBe('2026-11-21T12:00:00.000Z');
});

test('when a field is filtered, then only what fits is listed', async () => {
  const filtered = async (...conditions: Parameters<typeof where>) => numbers((await list(where(...conditions))).items);
  expect(await filtered(['id', 'EQ', (rows[1] as Row).id])).toEqual([2]);
  expect(await filtered(['sequence', 'GT', '1'], ['sequence', 'LTE', '3'])).toEqual([3, 2]);
  expect(await filtered(['occurredAt', 'GTE', '2026-11-21T12:02:00Z'])).toEqual([4, 3]);
  expect(await filtered(['occurredAt', 'LT', '2026-11-21T13:01:00+01:00'])).toEqual([1]);
  expect(await filtered(['actorId', 'EQ', bob])).toEqual([3, 2]);
  expect(await filtered(['action', 'IN', 'USER_CREATED', 'GRANT_ACTIVATED'])).toEqual([4, 3]);
  expect(await filtered(['action', 'LIKE', '%_created'])).toEqual([3, 1]);
  expect(await filtered(['entityType', 'NE', 'REQUEST'])).toEqual([4, 3]);
  expect(await filtered(['entityType', 'EQ', 'REQUEST'], ['entityId', 'EQ', request])).toEqual([2, 1]);
  expect(await filtered(['requestId', 'EQ', 'call-7'])).toEqual([4, 1]);
  expect(await filtered(['requestId', 'EQ', `call-7' or true --`])).toEqual([]);
});

test('when it is sorted by a field with equal values, then the number breaks the tie in both directions', async () => {
  const sorted = async (...sort: [string, boolean][]) =>
    numbers((await list({ sort: sort.map(([field, descending]) => ({ field, descending })) })).items);
  expect(await sorted(['occurredAt', false])).toEqual([1, 2, 4, 3]);
  expect(await sorted(['entityType', false], ['occurredAt', true])).toEqual([4, 2, 1, 3]);
  expect(await sorted(['sequence', false])).toEqual([1, 2, 3, 4]);
  expect((await sorted(['actorId', true])).length).toBe(4);
});

test('when pages are followed while events come in, then each event stands on one page', async () => {
  const growing = await suite.tenantWith(25);
  const seen: number[] = [];
  let after = '';
  do {
    const { items, page } = await list({ limit: 10, after }, growing);
    seen.push(...numbers(items));
    after = page?.next ?? '';
    await suite.publish('identity', changeOf(growing));
  } while (after);
  expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => 25 - index));
});

test('when a field is unknown, a value does not fit or a cursor is not one of this list, then the list refuses', async () => {
  await expect(list(where(['changes', 'EQ', 'x']))).rejects.toMatchObject({ code: 'INVALID_FILTER' });
  await expect(list(where(['tenantId', 'EQ', other]))).rejects.toMatchObject({ code: 'INVALID_FILTER' });
  await expect(list(where(['sequence', 'EQ', '1 or 1']))).rejects.toMatchObject({ code: 'INVALID_FILTER' });
  await expect(list(where(['occurredAt', 'GT', 'yesterday']))).rejects.toMatchObject({ code: 'INVALID_FILTER' });
  await expect(list({ sort: [{ field: 'hash', descending: false }] })).rejects.toMatchObject({ code: 'INVALID_FILTER' });
  await expect(list({ after: '{"by":"sequence","at":["1"]}' })).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
});

test('when somebody of another tenant lists, then no foreign event is seen, whatever the filter', async () => {
  expect(numbers((await list({}, other)).items)).toEqual([1]);
  expect((await list(where(['id', 'EQ', (rows[0] as Row).id]), other)).items).toEqual([]);
  expect((await list(where(['entityId', 'EQ', request]), other)).items).toHaveLength(1);
});

test.each(['manager', 'approver', 'requester'])('when a %s lists, then it is not allowed', async (role) => {
  const options = await suite.as({ tenantId, audience: 'org-admin', orgRoles: [role] });
  await expect(suite.client.listAuditEvents({}, options)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('when the token is missing or somebody of no tenant lists, then it is refused', async () => {
  await expect(suite.client.listAuditEvents({})).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
  const staff = await suite.as({ audience: 'admin', realmRoles: ['platform-admin'] });
  await expect(suite.client.listAuditEvents({}, staff)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});
