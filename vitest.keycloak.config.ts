import { defineConfig } from 'vitest/config';

/** What is said about people, the way of a request, races and isolation, on a platform with a real Keycloak: `npm run test:keycloak`. */
export default defineConfig({
  test: {
    name: 'keycloak',
    include: [
      'e2e/keycloak/*.test.ts',
      ...['identity', 'second-factor', 'people', 'invitations', 'core-path', 'races', 'security/isolation'].map(
        (suite) => `e2e/${suite}.test.ts`,
      ),
    ],
    globalSetup: './e2e/keycloak/setup.ts',
    pool: 'forks',
    experimental: { viteModuleRunner: false },
    // One file after the other: a test kills identity, and two crowds of logins would only wait for each other.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    teardownTimeout: 30_000,
  },
});
