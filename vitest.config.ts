import { defineConfig } from 'vitest/config';

const members = ['packages/*', 'services/*', 'gateway', 'dev', 'deploy'];
const within = (pattern: string) => members.map((member) => `${member}/${pattern}`);
// `deploy/test` needs servers of its own: `npm run test:deploy`.
const faults = ['e2e/faults/*.test.ts', ...within('test/faults/**/*.test.ts')];
// Targets that do not come from npm.
const connectors = within('test/connectors/**/*.test.ts');
// What is done to a platform that runs, or keeps it from starting.
const operations = ['e2e/operations/*.test.ts', ...within('test/operations/**/*.test.ts')];
const exclude = ['**/node_modules/**', 'deploy/test/**', ...faults, ...connectors, ...operations];
const globalSetup = './packages/testing/src/global-setup.ts';

// Cursors, outboxes and projections are polled: waiting tests share two cores well, but not many at a time.
const shared = {
  // Ends what hangs. A wait says by itself for how long, and several in a row take as long as all of them.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  teardownTimeout: 120_000,
  pool: 'forks' as const,
  experimental: { viteModuleRunner: false },
};

export default defineConfig({
  test: {
    maxWorkers: 4,
    reporters: ['default'],
    coverage: { provider: 'v8', include: within('src/**/*.ts'), exclude: ['**/*.test.ts'] },
    projects: [
      { test: { ...shared, name: 'unit', include: within('src/**/*.test.ts') } },
      { test: { ...shared, name: 'integration', include: within('test/**/*.test.ts'), exclude, globalSetup } },
      {
        test: {
          ...shared,
          name: 'e2e',
          include: ['e2e/*.test.ts', 'e2e/security/*.test.ts'],
          globalSetup: './e2e/setup.ts',
        },
      },
      // Against servers that do not come from npm: `npm run test:connectors`.
      { test: { ...shared, name: 'connectors', include: connectors, globalSetup } },
      // What is killed again and again, and waited for: `npm run test:faults`.
      { test: { ...shared, name: 'faults', include: faults, globalSetup } },
      // A platform that is replaced under load, one that loses its database, and others, one after the other: `npm run test:operations`.
      { test: { ...shared, name: 'operations', include: operations, globalSetup, testTimeout: 400_000 } },
      // Reads what all the others have left in the logs.
      { test: { ...shared, name: 'logs', include: ['e2e/last/*.test.ts'], sequence: { groupOrder: 1 } } },
    ],
  },
});
