import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { startPlatform } from '@accessops/dev';
import type { TestProject } from 'vitest/node';
import { adminUrlFile, platformDir, secretsFile } from './places.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the platform under test answers. */
    url: string;
    /** Where its access tokens' signing key lies: the database, and the file with the key that it is sealed with. */
    signing: { adminUrl: string; sealKeyFile: string };
    /** Its folder. */
    dataDir: string;
    provider: 'local' | 'keycloak';
  }
}

/** One platform for the whole suite, started as `npm start` does: separate processes, real parts. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  rmSync(platformDir, { recursive: true, force: true });
  mkdirSync(platformDir, { recursive: true });
  writeFileSync(secretsFile, '');
  // For requests to where they must not go; see security/addresses.test.ts.
  process.env.CONNECTOR_WEBHOOK_EDGE_SECRET = `whsec_${randomBytes(32).toString('base64')}`;
  process.env.CONNECTOR_WEBHOOK_EDGE_TENANTS = 'acme';
  // The whole suite shares two cores: what is slow for a moment is not down.
  process.env.DECISION_TIMEOUT_MS = '30000';
  process.env.CALL_TIMEOUT_MS = '30000';
  const platform = await startPlatform({ dataDir: platformDir, port: 0, limits: false });
  writeFileSync(adminUrlFile, platform.adminUrl, { mode: 0o600 });
  project.provide('url', platform.url);
  project.provide('signing', { adminUrl: platform.adminUrl, sealKeyFile: platform.secrets.files.identityKey });
  project.provide('dataDir', platformDir);
  project.provide('provider', 'local');
  return () => platform.stop();
}
