import { defineConfig } from 'vitest/config';

/**
 * The end-to-end suites on a platform with a real Keycloak, `npm run test:keycloak`: all but those that need the demo's data, kill parts, or
 * sign tokens with the local provider's key.
 */
export default defineConfig({
  test: {
    name: 'keycloak',
    include: [
      'e2e/keycloak/*.test.ts',
      ...[
        'identity',
        'second-factor',
        'people',
        'invitations',
        'core-path',
        'races',
        'idempotency',
        'bad-input',
        'front-door',
        'service-accounts',
        'security/isolation',
        'security/every-route',
      ].map((suite) => `e2e/${suite}.test.ts`),
    ],
    // The second is for processes of the provisioner that a test has to itself.
    globalSetup: ['./e2e/keycloak/setup.ts', './packages/testing/src/global-setup.ts'],
    pool: 'forks',
    experimental: { viteModuleRunner: false },
    // One file after the other: a test kills identity, and two crowds of logins would only wait for each other.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 120_000,
  },
});
