import { expect, test } from 'vitest';
import { isLarger, type Limits, limitsOf, tierNames, tiers } from './tiers.ts';

test('when a tier is larger, then no limit is smaller', () => {
  const worth = (limit: number | null) => limit ?? Number.POSITIVE_INFINITY;
  for (const tier of tierNames) {
    for (const other of tierNames.filter((name) => isLarger(tier, name))) {
      for (const limit of Object.keys(tiers.free) as (keyof Limits)[]) {
        expect(worth(tiers[tier][limit])).toBeGreaterThanOrEqual(worth(tiers[other][limit]));
      }
    }
  }
  expect([isLarger('team', 'free'), isLarger('free', 'team'), isLarger('team', 'team')]).toEqual([true, false, false]);
});

test('when a tier is none, then the smallest limits hold', () => {
  for (const name of ['', 'standard', 'toString', '__proto__']) expect(limitsOf(name)).toBe(tiers.free);
});
