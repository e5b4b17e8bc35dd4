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
 * Asks until the condition answers something truthy, and answers that. Throws after the deadline (60 s), with the
 * error of the last attempt as its cause.
 */
export const until = async <T>(
  condition: () => Promise<T> | T,
  { timeoutMs = 60_000, what = 'the condition' }: UntilOptions = {},
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

// A look, with the pause after it, takes less where nothing else runs.
const lookMs = 100;

/**
 * Asks until the condition is true, for `withinMs` of a machine that does nothing else: of a look that takes longer than it should, for the
 * machine stands still or is busy, only as much counts as it should have taken.
 */
export const untilWithin = async (withinMs: number, what: string, condition: () => Promise<boolean>): Promise<void> => {
  for (let passedMs = 0; ; ) {
    const startedAt = performance.now();
    if (await condition()) return;
    if (passedMs > withinMs) throw new Error(`${what} did not come true within ${withinMs} ms of an idle machine`);
    await delay(20);
    passedMs += Math.min(performance.now() - startedAt, lookMs);
  }
};
