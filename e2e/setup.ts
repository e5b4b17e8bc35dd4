import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPlatform } from '@accessops/dev';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the platform under test answers. */
    url: string;
    /** What the platform keeps: logs, data, secrets. */
    platformDir: string;
    /** Every secret the tests have sent or been given, a line each. */
    secretsFile: string;
  }
}

/** One platform for the whole suite, started as `npm start` does: separate processes, real parts. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const platformDir = mkdtempSync(join(tmpdir(), 'accessops-e2e-'));
  const secretsFile = join(platformDir, 'secrets-seen.txt');
  writeFileSync(secretsFile, '');
  const platform = await startPlatform({ dataDir: platformDir, port: 0 });
  project.provide('url', platform.url);
  project.provide('platformDir', platformDir);
  project.provide('secretsFile', secretsFile);
  return () => platform.stop();
}
