import { passThrough } from './pass-through.ts';

/** `npm test`: all tests, or those that the arguments choose. */
export const test = (args: string[]): Promise<number> => passThrough('vitest', ['run', ...args]);
