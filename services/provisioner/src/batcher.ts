/** Collects what comes in while the batch before is being handled. */
export interface Batcher<T> {
  /** Resolves when the batch that holds the item has been handled. */
  add(item: T): Promise<void>;
}

/** Hands items on in batches: at once when idle, all together when busy. `handle` must not throw. */
export const createBatcher = <T>(handle: (items: T[]) => Promise<void>, maxSize: number): Batcher<T> => {
  const waiting: { item: T; done: () => void }[] = [];
  let running: Promise<void> | undefined;

  const drain = async () => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, maxSize);
      await handle(batch.map(({ item }) => item));
      for (const { done } of batch) done();
    }
    running = undefined;
  };

  return {
    add: (item) =>
      new Promise((resolve) => {
        waiting.push({ item, done: resolve });
        running ??= drain();
      }),
  };
};
