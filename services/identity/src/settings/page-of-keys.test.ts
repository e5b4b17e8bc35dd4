import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { expect, test } from 'vitest';
import { pageOfKeys } from './page-of-keys.ts';

const keys = ['b.two', 'a.one', 'c.three'];
const page = (query: object) => pageOfKeys(keys, { limit: 0, after: '', sort: [], filters: [], ...query } as never);
const filter = (operator: Operator, ...values: string[]) => page({ filters: [{ field: 'key', operator, values }] }).keys;

test('when pages are walked in either direction, then every key comes once', () => {
  expect(page({})).toEqual({ keys: ['a.one', 'b.two', 'c.three'], next: '' });
  expect(page({ limit: 2 })).toEqual({ keys: ['a.one', 'b.two'], next: 'b.two' });
  expect(page({ limit: 2, after: 'b.two' })).toEqual({ keys: ['c.three'], next: '' });
  expect(page({ limit: 2, after: 'b.two', sort: [{ field: 'key', descending: true }] })).toEqual({ keys: ['a.one'], next: '' });
});

test('when keys are filtered, then each operator means what it means in a table', () => {
  expect(filter(Operator.EQ, 'a.one')).toEqual(['a.one']);
  expect(filter(Operator.NE, 'a.one')).toEqual(['b.two', 'c.three']);
  expect(filter(Operator.GT, 'a.one')).toEqual(['b.two', 'c.three']);
  expect(filter(Operator.GTE, 'b.two')).toEqual(['b.two', 'c.three']);
  expect(filter(Operator.LT, 'b.two')).toEqual(['a.one']);
  expect(filter(Operator.LTE, 'b.two')).toEqual(['a.one', 'b.two']);
  expect(filter(Operator.IN, 'a.one', 'x')).toEqual(['a.one']);
  expect(filter(Operator.LIKE, '%.t%')).toEqual(['b.two', 'c.three']);
  expect(filter(Operator.LIKE, 'a?one')).toEqual([]);
  expect(() => page({ sort: [{ field: 'value', descending: false }] })).toThrow('Unknown field value');
});
