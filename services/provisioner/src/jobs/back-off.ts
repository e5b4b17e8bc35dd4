const pausesMs = [200, 500, 1000, 2000];
const longestMs = 60_000;

/**
 * Pause after the nth attempt: 0.2, 0.5, 1, 2 s, then doubling up to a minute, give or take a quarter so that jobs that failed
 * together do not come back together. `random` is from 0 to 1.
 */
export const pauseAfterMs = (attempt: number, random: number = Math.random()): number => {
  const last = pausesMs.length;
  const base = pausesMs[attempt - 1] ?? Math.min(2000 * 2 ** (attempt - last), longestMs);
  return Math.round(base * (0.75 + random / 2));
};

/** Pause before a target is asked again that has promised an answer: about as long as has been waited already, from 5 seconds to 10 minutes. */
export const pauseWhileWaitingMs = (waitingSince: Date | null, now: Date): number =>
  Math.min(Math.max(waitingSince ? now.getTime() - waitingSince.getTime() : 0, 5000), 600_000);
