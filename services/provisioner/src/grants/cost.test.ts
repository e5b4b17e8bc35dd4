import { expect, test } from 'vitest';
import { costOf } from './cost.ts';

const activatedAt = new Date('2026-11-21T10:00:00.000Z');
const after = (ms: number) => new Date(activatedAt.getTime() + ms);
const euros = (amount: number) => ({ amount, currency: 'EUR' });
const amountOf = (perHour: number, ms: number) =>
  costOf({ pricePerHour: euros(perHour), activatedAt, endedAt: after(ms) }, after(0))?.amount;

test('when access is in force, then it costs until now; once it has ended, until then', () => {
  const pricePerHour = euros(250);
  const running = { pricePerHour, activatedAt, endedAt: null };
  expect(costOf(running, after(3_600_000))).toEqual({ amount: 250, currency: 'EUR', pricePerHour });
  expect(costOf(running, after(5_400_000))?.amount).toBe(375);
  expect(costOf({ ...running, endedAt: after(7_200_000) }, after(5_400_000))?.amount).toBe(500);
});

test('when there is no price, then there is no cost; a price of nothing is one', () => {
  expect(costOf({ activatedAt, endedAt: null }, after(1))).toBeNull();
  expect(costOf({ pricePerHour: null, activatedAt, endedAt: null }, after(1))).toBeNull();
  expect(amountOf(0, 3_600_000)).toBe(0);
});

test('when the time makes no whole unit, then it is rounded once, half a unit up', () => {
  expect(amountOf(1, 1_799_999)).toBe(0);
  expect(amountOf(1, 1_800_000)).toBe(1);
  expect(amountOf(1, 3 * 1_800_000)).toBe(2);
  // By minutes it would be 60 × round(0.0167).
  expect(amountOf(1, 3_600_000)).toBe(1);
  expect(amountOf(7, 1234)).toBe(0);
  expect([amountOf(1000, 1799), amountOf(1000, 1800)]).toEqual([0, 1]);
  expect(amountOf(3, 600_000)).toBe(1);
});

test('when an hour or a year of it costs beyond all measure, then the amount is exact as long as JSON can tell it, and never more', () => {
  const most = Number.MAX_SAFE_INTEGER;
  expect(amountOf(most, 3_600_000)).toBe(most);
  expect(amountOf(most, 3_599_999)).toBe(Number((BigInt(most) * 3_599_999n + 1_800_000n) / 3_600_000n));
  expect(amountOf(most, 366 * 86_400_000)).toBe(most);
});

test('when the clock that ended it was behind, then it has cost nothing', () => {
  expect(amountOf(250, -5)).toBe(0);
});
