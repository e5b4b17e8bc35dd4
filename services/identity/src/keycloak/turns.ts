/** Runs work so that at most `width` pieces under the same key run at a time; the others wait in the order they came. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Turns of this process. */
export const createTurns = (width: number): Turns => {
  const lines = new Map<string, { running: number; waiting: (() => void)[] }>();
  return async (key, work) => {
    const line = lines.get(key) ?? { running: 0, waiting: [] };
    lines.set(key, line);
    if (line.running < width) line.running++;
    else await new Promise<void>((proceed) => line.waiting.push(proceed));
    try {
      return await work();
    } finally {
      const next = line.waiting.shift();
      if (next) next();
      else if (--line.running === 0) lines.delete(key);
    }
  };
};
