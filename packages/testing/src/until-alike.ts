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

// Whatever else the machine does makes most of them slower; the quickest of all may be a stroke of luck.
const usualOf = (times: number[]): number => times.toSorted((a, b) => a - b)[Math.floor(times.length / 10)] ?? Number.NaN;

/**
 * Does two things in turns until they take as long as each other, by the quickest tenth of each. Answers the ratio. What really differs never
 * gets there: throws after 40 s, for which a principal's token is good.
 */
export const untilAlike = async (
  one: () => Promise<unknown>,
  other: () => Promise<unknown>,
  { rounds, between: [least, most] }: UntilAlikeOptions,
): Promise<number> => {
  const times: [number[], number[]] = [[], []];
  const isAlike = async () => {
    times[0].push(await tookMs(one));
    times[1].push(await tookMs(other));
    const ratio = usualOf(times[0]) / usualOf(times[1]);
    return ratio > least && ratio < most && ratio;
  };
  for (let round = 0; round < rounds; round++) await isAlike();
  return until(isAlike, { timeoutMs: 40_000, what: 'times that are alike' });
};
