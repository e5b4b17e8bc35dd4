import { validate, version } from 'uuid';
import { expect, test } from 'vitest';
import { newId } from './id.ts';

test('when identifiers are made one after the other, then all are different, in order, and of version 7', () => {
  const ids = Array.from({ length: 10_000 }, newId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
  expect(ids.toSorted()).toEqual(ids);
});

test('when an identifier is made, then it tells when', () => {
  const before = Date.now();
  const told = Number.parseInt(newId().replaceAll('-', '').slice(0, 12), 16);
  expect(told).toBeGreaterThanOrEqual(before - 1);
  expect(told).toBeLessThanOrEqual(Date.now() + 1000);
});
