/** Runs work about one thing one after the other, in the order of arrival. */
export type TakeTurns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * Queues in memory what would wait for the same row anyway, so that a crowd at one case does not hold all connections of the
 * pool. Only a courtesy within this process: what is right is decided by the lock of the row.
 */
export const createTurns = (): TakeTurns => {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key);
    const mine = before ? before.then(work, work) : work();
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
};
