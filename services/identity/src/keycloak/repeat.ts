import { setTimeout as delay } from 'node:timers/promises';

const longestPauseMs = 5000;

/** Work that is done again and again until it is closed; after failures in a row the pauses get longer. */
export const repeat = (everyMs: number, work: () => Promise<unknown>, onError: (error: unknown) => void): { close(): Promise<void> } => {
  const abort = new AbortController();
  const run = async () => {
    for (let failures = 0; !abort.signal.aborted; ) {
      try {
        await work();
        failures = 0;
      } catch (error) {
        failures++;
        // The first time is enough to know; afterwards once in a while.
        if (failures % 10 === 1) onError(error);
      }
      const pause = Math.min(everyMs * 2 ** Math.min(failures, 10), Math.max(everyMs, longestPauseMs));
      await delay(pause, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  };
  const finished = run();
  return {
    close: async () => {
      abort.abort();
      await finished;
    },
  };
};
