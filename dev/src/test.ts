import { passThrough } from './pass-through.ts';

/** `npm test`: all tests but the next three, or those that the arguments choose. */
export const test = (args: string[]): Promise<number> =>
  passThrough('vitest', ['run', '--project', '!faults', '--project', '!connectors', '--project', '!operations', ...args]);

/** `npm run test:connectors`: connectors with servers that do not come from npm. */
export const testConnectors = (args: string[]): Promise<number> => passThrough('vitest', ['run', '--project', 'connectors', ...args]);

/** `npm run test:faults`: parts that are killed, and targets that break, again and again. */
export const testFaults = (args: string[]): Promise<number> => passThrough('vitest', ['run', '--project', 'faults', ...args]);

/** `npm run test:operations`: replaced under load, lost and restored, told wrong things. One file after the other: what is slow for a while is not to fail. */
export const testOperations = (args: string[]): Promise<number> =>
  passThrough('vitest', ['run', '--project', 'operations', '--no-file-parallelism', ...args]);

/** `npm run test:deploy`: images, compose and Kubernetes, against a real engine and a real API server. */
export const testDeploy = (args: string[]): Promise<number> =>
  passThrough('vitest', ['run', '--config', 'deploy/vitest.config.ts', ...args]);
