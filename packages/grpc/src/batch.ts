/** The largest message that a server takes, and the largest that a client takes, in bytes. */
export const largest = { request: 4 * 1024 * 1024, response: 16 * 1024 * 1024 };

// What goes with each call: its id, its path, its metadata.
const allowance = 64 * 1024;
const batchBytes = 256 * 1024;

/** Whether a call or reply is too large to travel: it would take all others of its stream with it. */
export const isTooLarge = (payload: Uint8Array, limit: number): boolean => payload.length > limit - allowance;

/** Gathers what is sent in one go, so that it travels in one message, and no message gets too large. */
export const createBatch = <T>(sizeOf: (item: T) => number, send: (items: T[]) => void): { add(item: T): void; flush(): void } => {
  let items: T[] = [];
  let bytes = 0;
  const flush = () => {
    if (items.length === 0) return;
    const gathered = items;
    items = [];
    bytes = 0;
    send(gathered);
  };
  return {
    add: (item) => {
      const size = sizeOf(item);
      if (bytes + size > batchBytes) flush();
      bytes += size;
      if (items.push(item) === 1) setImmediate(flush);
    },
    flush,
  };
};
