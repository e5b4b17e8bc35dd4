import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startPlatform } from '@accessops/dev';
import type { TestProject } from 'vitest/node';
import { secretsFile } from '../places.ts';
import type {} from '../setup.ts';
import { hashQuickly } from './hash-quickly.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Keycloak under test: its address, the secret of the realm's clients, the password of its admin, and the database. */
    keycloak: { url: string; clientSecret: string; adminPassword: string; adminUrl: string };
  }
}

const platformDir = join(import.meta.dirname, '../../.accessops/e2e-keycloak');

/** One platform for the whole suite, started as `npm start -- --idp keycloak` does. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  rmSync(platformDir, { recursive: true, force: true });
  mkdirSync(dirname(secretsFile), { recursive: true });
  writeFileSync(secretsFile, '');
  // Hundreds of wrong passwords come from here.
  process.env.ACCESSOPS_RATE_LIMIT = 'off';
  process.env.DECISION_TIMEOUT_MS = '30000';
  process.env.CALL_TIMEOUT_MS = '30000';
  // Who asked for the keys is read there.
  Object.assign(process.env, { KC_HTTP_ACCESS_LOG_ENABLED: 'true', KC_HTTP_ACCESS_LOG_EXCLUDE: '/admin/.*' });
  const onProgress = (line: string) => process.stderr.write(`${line}\n`);
  const platform = await startPlatform({ dataDir: platformDir, port: 0, identityProvider: 'keycloak', durable: false, onProgress });
  project.provide('url', platform.url);
  project.provide('dataDir', platformDir);
  project.provide('provider', 'keycloak');
  const keycloak = {
    url: `http://127.0.0.1:${platform.ports.keycloak}`,
    clientSecret: platform.secrets.keycloak.client,
    adminPassword: platform.secrets.keycloak.admin,
    adminUrl: platform.adminUrl,
  };
  await hashQuickly(keycloak);
  project.provide('keycloak', keycloak);
  return () => platform.stop();
}
