import { expect, test } from 'vitest';
import { expiryOf, Grant } from './grant.ts';

const start = new Date('2026-03-29T00:30:00.000Z');

test('when access begins, then it ends its duration later, in hours that do not care for summer time', () => {
  expect(expiryOf(start, 'PT1S').toISOString()).toBe('2026-03-29T00:30:01.000Z');
  expect(expiryOf(start, 'PT4H').toISOString()).toBe('2026-03-29T04:30:00.000Z');
  expect(expiryOf(start, 'P1DT12H').toISOString()).toBe('2026-03-30T12:30:00.000Z');
  expect(expiryOf(start, 'P2W').toISOString()).toBe('2026-04-12T00:30:00.000Z');
});

test('when the duration is none, then that is an error', () => {
  for (const text of ['', '4h', 'P', 'PT']) expect(() => expiryOf(start, text)).toThrow(RangeError);
});

test('when the time is up or the end has begun, then a grant cannot be used', () => {
  const usable = (status: Grant['status'], now: Date) => Object.assign(new Grant(), { status, expiresAt: start }).isUsable(now);
  expect(usable('ACTIVE', new Date(start.getTime() - 1))).toBe(true);
  expect(usable('ACTIVE', start)).toBe(false);
  expect(usable('REVOKING', new Date(0))).toBe(false);
});
