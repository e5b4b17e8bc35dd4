import { setTimeout as delay } from 'node:timers/promises';

const windowMs = 500;
// One request after the other, as quickly as they go, is not a crowd: each leads to a good ten events.
const busyAt = 100;
const pauseMs = 40;

/** A short pause before work of which much has just been done; see `createGather`. */
export interface Gather {
  (): Promise<void>;
  /** So much work has been done. */
  did(count: number): void;
}

/**
 * Makes work come in batches under load: a transaction costs the same for one event as for many. With 100 events or more in
 * the last half second, whoever comes next waits 40 ms for others; at rest nothing waits.
 */
export const createGather = (now: () => number = () => performance.now()): Gather => {
  let startedAt = now();
  let [before, current] = [0, 0];
  const turn = () => {
    const passed = now() - startedAt;
    if (passed < windowMs) return;
    before = passed < 2 * windowMs ? current : 0;
    current = 0;
    startedAt = now();
  };
  const gather = async () => {
    turn();
    if (Math.max(before, current) >= busyAt) await delay(pauseMs);
  };
  const did = (count: number) => {
    turn();
    current += count;
  };
  return Object.assign(gather, { did });
};
