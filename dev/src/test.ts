import { passThrough } from './pass-through.ts';

/** `npm test`: all tests, or those that the arguments choose. */
export const test = (args: string[]): Promise<number> => passThrough('vitest', ['run', ...args]);

/** `npm run test:deploy`: images, compose and Kubernetes, against a real engine and a real API server. */
export const testDeploy = (args: string[]): Promise<number> =>
  passThrough('vitest', ['run', '--config', 'deploy/vitest.config.ts', ...args]);
