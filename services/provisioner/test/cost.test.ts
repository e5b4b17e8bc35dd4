import { GrantActivatedSchema, GrantEndedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { until } from '@accessops/testing';
import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const hourMs = 3_600_000;
const dear = 36_000_000n;
const price = { amount: dear, currency: 'EUR' };

const activeGrant = async (settings: Parameters<Suite['approve']>[0] = {}) => {
  const requestId = await suite.approve({ pricePerHour: dear, ...settings });
  const { id } = await suite.grantIs(requestId, ['ACTIVE']);
  return { id, requestId };
};
const get = async (id: string) => (await suite.as(suite.requester)).getGrant({ id });
const told = async <D extends DescMessage>(schema: D, requestId: string): Promise<MessageShape<D>> => {
  const text = 'select payload from outbox_event where aggregate_id = $1 and type = $2';
  const { rows } = await suite.sql.query<{ payload: Buffer }>(text, [requestId, schema.name]);
  expect(rows).toHaveLength(1);
  return fromBinary(schema, rows[0]?.payload ?? new Uint8Array());
};
/** Began so much earlier than it did. */
const age = (id: string, ms: number) =>
  suite.sql.query(`update access_grant set activated_at = activated_at - $2 * interval '1 millisecond' where id = $1`, [id, ms]);

test('when access has a price, then it costs more as time goes by, and no more once the target has confirmed its end', async () => {
  const { id, requestId } = await activeGrant();
  const first = await get(id);
  expect(first.cost?.pricePerHour).toMatchObject(price);
  await until(async () => ((await get(id)).cost?.amount ?? 0n) > (first.cost?.amount ?? 0n));
  await (await suite.as(suite.requester)).revokeGrant({ id });
  const row = await suite.grantIs(requestId, ['REVOKED']);
  const ended = await get(id);
  const [activatedAt, endedAt] = [ended.activatedAt, ended.endedAt].map((time) => time && timestampDate(time).getTime());
  // Ten units a millisecond.
  expect(ended.cost?.amount).toBe(BigInt((endedAt ?? 0) - (activatedAt ?? 0)) * 10n);
  const activated = await told(GrantActivatedSchema, requestId);
  expect(activated).toMatchObject({ activatedAt: ended.activatedAt, pricePerHour: price });
  const end = await told(GrantEndedSchema, requestId);
  expect(end).toMatchObject({ activatedAt: ended.activatedAt, endedAt: ended.endedAt, pricePerHour: price });
  expect(row.ended_at?.getTime()).toBe(endedAt);
  expect((await get(id)).cost).toEqual(ended.cost);
  const { items } = await (await suite.as(suite.requester)).listMyGrants({});
  expect(items.find((item) => item.id === id)?.cost).toEqual(ended.cost);
});

test('when a target will not let go, then the access goes on costing until an admin closes it', async () => {
  const { id, requestId } = await activeGrant({ config: { failRevokeFirst: 100 } });
  const admin = await suite.as(suite.admin);
  await admin.revokeGrant({ id });
  await suite.grantIs(requestId, ['REVOKE_FAILED'], 50_000);
  const stuck = await get(id);
  await until(async () => ((await get(id)).cost?.amount ?? 0n) > (stuck.cost?.amount ?? 0n));
  const closed = await admin.closeGrant({ id, reason: 'Taken away by hand' });
  const end = await told(GrantEndedSchema, requestId);
  expect(end).toMatchObject({ activatedAt: closed.activatedAt, endedAt: closed.endedAt, pricePerHour: price });
  expect((await get(id)).cost).toEqual(closed.cost);
});

test('when the price is another one by the time of an extension, then the access keeps its own', async () => {
  const { id, requestId } = await activeGrant();
  const extension = await suite.approve({ extendsRequestId: requestId, pricePerHour: 1n });
  await until(async () => (await suite.job(extension, 'EXTEND'))?.status === 'SUCCEEDED');
  expect((await get(id)).cost?.pricePerHour).toMatchObject(price);
});

test('when there is no price, then there is no cost, also in the report', async () => {
  const [free, priced] = await Promise.all([activeGrant({ pricePerHour: undefined }), activeGrant({ pricePerHour: 1n })]);
  expect((await get(free.id)).cost).toBeUndefined();
  await age(priced.id, 200 * hourMs);
  const admin = await suite.as(suite.admin);
  const { id } = await admin.requestReport({ kind: 'grants', format: 'json' });
  await until(async () => (await admin.getReport({ id })).status === 'READY');
  const pieces: Uint8Array[] = [];
  for await (const { piece } of admin.readReport({ id })) pieces.push(piece);
  const lines = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>[];
  const lineOf = (grantId: string) => lines.find((line) => line.grantId === grantId);
  expect(lineOf(free.id)).toMatchObject({ pricePerHour: null, currency: null, cost: null });
  expect(lineOf(priced.id)).toMatchObject({ pricePerHour: 1, currency: 'EUR', cost: 200 });
});
