import { defineConfig } from 'vitest/config';

/** End-to-end suites on a platform that runs already, as `npm run test:deploy` has them run on compose: those that need nothing but its address. */
export default defineConfig({
  test: {
    name: 'running',
    include: ['core-path', 'races', 'idempotency', 'bad-input', 'service-accounts'].map((suite) => `e2e/${suite}.test.ts`),
    globalSetup: './e2e/running/setup.ts',
    pool: 'forks',
    experimental: { viteModuleRunner: false },
    // As with any Keycloak: two crowds of logins would only wait for each other.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
