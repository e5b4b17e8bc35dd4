import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataPaths, openSecrets, ProcessGroup } from '@accessops/dev';
import type { TestProject } from 'vitest/node';
import { prepareServers } from './prepare-servers.ts';

/** One PostgreSQL, one NATS and one Cerbos for the whole run; each suite makes its own database and namespace in them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const paths = openDataPaths(mkdtempSync(join(tmpdir(), 'accessops-test-')));
  const group = new ProcessGroup(paths);
  const teardown = async () => {
    await group.stop();
    rmSync(paths.directory, { recursive: true, force: true });
  };
  try {
    const { specs, ...addresses } = await prepareServers(paths.data);
    const starting = Object.values(specs).map((spec) => group.launch(spec, 0));
    await Promise.race([Promise.all(starting), group.failed.then((error) => Promise.reject(error))]);
    project.provide('infrastructure', { ...addresses, directory: paths.directory, keyFiles: openSecrets(paths.secrets).files });
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}
