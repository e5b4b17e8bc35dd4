import { until } from './until.ts';

export interface UntilAlikeOptions {
  /** How often both are done before it is looked at. */
  rounds: number;
  /** Between which the ratio of their times has to be. */
  between: [least: number, most: number];
}

const tookMs = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

/**
 * Does two things in turns until they take as long as each other, by the quickest of each: whatever else the machine does makes others
 * slower. Answers the ratio. What really differs never gets there: throws after 90 s: each has to be alone on the machine once.
 */
export const untilAlike = async (
  one: () => Promise<unknown>,
  other: () => Promise<unknown>,
  { rounds, between: [least, most] }: UntilAlikeOptions,
): Promise<number> => {
  const quickest: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const isAlike = async () => {
    quickest[0] = Math.min(quickest[0], await tookMs(one));
    quickest[1] = Math.min(quickest[1], await tookMs(other));
    const ratio = quickest[0] / quickest[1];
    return ratio > least && ratio < most && ratio;
  };
  for (let round = 0; round < rounds; round++) await isAlike();
  return until(isAlike, { timeoutMs: 90_000, what: 'times that are alike' });
};
