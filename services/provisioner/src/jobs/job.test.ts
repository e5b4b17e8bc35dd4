import { expect, test } from 'vitest';
import { attemptOfBudget, isLastAttempt, isSpent } from './job.ts';

test('when the budget is five, then the fifth attempt is the last and what comes after only clears up', () => {
  expect([4, 5, 6].map((attempts) => isLastAttempt({ attempts, maxAttempts: 5 }))).toEqual([false, true, true]);
  expect([4, 5, 6].map((attempts) => isSpent({ attempts, maxAttempts: 5 }))).toEqual([false, false, true]);
});

test('when there is no budget, then no attempt is the last', () => {
  expect(isLastAttempt({ attempts: 1000, maxAttempts: null })).toBe(false);
  expect(isSpent({ attempts: 1000, maxAttempts: null })).toBe(false);
});

test('when an admin has renewed the budget, then attempts count from there', () => {
  expect(attemptOfBudget({ attempts: 3, maxAttempts: 5 })).toBe(3);
  expect(attemptOfBudget({ attempts: 6, maxAttempts: 10 })).toBe(1);
  expect(attemptOfBudget({ attempts: 7, maxAttempts: null })).toBe(7);
});
