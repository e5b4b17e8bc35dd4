import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// `npm run test:deploy`: images, compose and Kubernetes against real servers. Too heavy for `npm test`.
export default defineConfig({
  test: {
    root: join(import.meta.dirname, '..'),
    include: ['deploy/test/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 1_800_000,
    // One engine, one cluster.
    fileParallelism: false,
    experimental: { viteModuleRunner: false },
  },
});
