import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditorOf, changeOf, type Suite, startSuite, where } from './suite.ts';

let suite: Suite;
const tenantId = newId();
const length = 10_000;
beforeAll(async () => {
  suite = await startSuite();
  const events = Array.from({ length }, (_, index) => changeOf(tenantId, { entityType: index % 4 === 0 ? 'USER' : 'REQUEST' }));
  await suite.publish('requests', ...events);
  await suite.tenantWith(3);
  await suite.log(tenantId, length);
});
afterAll(() => suite.close());

const exported = async function* (query: Parameters<Suite['client']['exportAuditEvents']>[0]['query'] = {}, signal?: AbortSignal) {
  yield* suite.client.exportAuditEvents({ query }, { ...(await suite.as(auditorOf(tenantId))), signal });
};
const numbersOf = async (batches: AsyncIterable<{ items: { sequence: bigint }[] }>) => {
  const numbers: number[] = [];
  for await (const { items } of batches) numbers.push(...items.map(({ sequence }) => Number(sequence)));
  return numbers;
};

test('when ten thousand events are exported, then each comes once, in order, in batches', async () => {
  const sizes: number[] = [];
  const numbers: number[] = [];
  for await (const { items } of exported()) {
    sizes.push(items.length);
    numbers.push(...items.map(({ sequence }) => Number(sequence)));
    expect(items.every((item) => item.tenantId === tenantId)).toBe(true);
  }
  expect(numbers).toEqual(Array.from({ length }, (_, index) => index + 1));
  expect(Math.max(...sizes)).toBe(500);
  expect(sizes).toHaveLength(20);
});

test('when an export is filtered, then only what fits comes', async () => {
  const numbers = await numbersOf(exported(where(['entityType', 'EQ', 'USER'], ['sequence', 'GT', '100'])));
  expect(numbers).toHaveLength(length / 4 - 25);
  expect(numbers.slice(0, 2)).toEqual([101, 105]);
});

test('when events come in while it is exported, then it ends where the log ended at its beginning', async () => {
  const numbers: number[] = [];
  for await (const { items } of exported()) {
    if (numbers.length === 0) {
      await suite.publish('identity', ...Array.from({ length: 100 }, () => changeOf(tenantId)));
      await suite.log(tenantId, length + 100);
    }
    numbers.push(...items.map(({ sequence }) => Number(sequence)));
  }
  expect(numbers).toHaveLength(length);
});

test('when the reader is slow, then no transaction is kept open for it', async () => {
  const batches = exported()[Symbol.asyncIterator]();
  await batches.next();
  const open = `select count(*)::int as count from pg_stat_activity where datname = current_database() and usename = 'audit' and xact_start is not null`;
  await until(async () => (await suite.admin.query(open)).rows[0].count === 0, { what: 'no open transaction' });
  expect(await numbersOf({ [Symbol.asyncIterator]: () => batches })).toHaveLength((await suite.log(tenantId, length)).length - 500);
});

test('when the reader goes away, then the export ends and the service serves on', async () => {
  const abort = new AbortController();
  const reading = (async () => {
    for await (const _ of exported({}, abort.signal)) abort.abort();
  })();
  await expect(reading).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
  expect(await numbersOf(exported(where(['sequence', 'LTE', '3'])))).toEqual([1, 2, 3]);
});

test('when a filter is wrong or the caller may not export, then it is refused before the first batch', async () => {
  await expect(numbersOf(exported(where(['nothing', 'EQ', 'x'])))).rejects.toMatchObject({ code: 'INVALID_FILTER' });
  const manager = await suite.as({ tenantId, audience: 'org-admin', orgRoles: ['manager'] });
  await expect(numbersOf(suite.client.exportAuditEvents({}, manager))).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('when somebody of another tenant exports, then nothing of this one comes', async () => {
  const stranger = await suite.as(auditorOf(newId()));
  expect(await numbersOf(suite.client.exportAuditEvents({}, stranger))).toEqual([]);
});
