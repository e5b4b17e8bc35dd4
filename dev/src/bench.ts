import { passThrough } from './pass-through.ts';

/** `npm run bench`: load and limits, measured side by side. */
export const bench = (args: string[]): Promise<number> => passThrough(process.execPath, ['bench/main.ts', ...args]);
