import { expect, test } from 'vitest';
import { pauseAfterMs, pauseWhileWaitingMs } from './back-off.ts';

test('when attempts fail, then pauses grow to a minute and no further', () => {
  expect([1, 2, 3, 4, 5, 6, 9, 100].map((attempt) => pauseAfterMs(attempt, 0.5))).toEqual([
    200, 500, 1000, 2000, 4000, 8000, 60_000, 60_000,
  ]);
});

test('when jobs fail together, then their pauses differ by up to a quarter', () => {
  expect([0, 1].map((random) => pauseAfterMs(3, random))).toEqual([750, 1250]);
});

test('when a job has its five attempts, then even the longest pauses leave it failed within 30 s', () => {
  const total = [1, 2, 3, 4].reduce((sum, attempt) => sum + pauseAfterMs(attempt, 1), 0);
  expect(total).toBeLessThan(10_000);
});

test('when an answer was promised, then it is asked for ever more seldom', () => {
  const since = new Date(0);
  expect(pauseWhileWaitingMs(null, since)).toBe(5000);
  expect([0, 5, 10, 20, 1000, 100_000].map((seconds) => pauseWhileWaitingMs(since, new Date(seconds * 1000)))).toEqual([
    5000, 5000, 10_000, 20_000, 600_000, 600_000,
  ]);
});
