import { setTimeout as delay } from 'node:timers/promises';

export interface UntilOptions {
  timeoutMs?: number;
  /** What is waited for, for the message when it does not come. */
  what?: string;
}

/**
 * How long tests wait for what has to count within a second where nothing else runs: suites share their processors. Without the
 * news of a change it would take the five seconds for which principals and decisions are remembered.
 */
export const soonMs = 4500;

/**
 * Asks until the condition answers something truthy, and answers that. Throws after the deadline (20 s), with the
 * error of the last attempt as its cause.
 */
export const until = async <T>(
  condition: () => Promise<T> | T,
  { timeoutMs = 20_000, what = 'the condition' }: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> => {
  let cause: unknown;
  for (const deadline = Date.now() + timeoutMs; ; ) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= deadline) throw new Error(`${what} did not come true within ${timeoutMs} ms`, { cause });
    await delay(10);
  }
};
