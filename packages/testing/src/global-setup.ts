import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  findNatsServer,
  openDataPaths,
  openSecrets,
  ProcessGroup,
  postgresUrl,
  prepareCerbos,
  prepareNats,
  preparePostgres,
  reserveFreePort,
  root,
} from '@accessops/dev';
import type { TestProject } from 'vitest/node';
import type { Infrastructure } from './infrastructure.ts';
import { patienceMs } from './patience.ts';

/**
 * One PostgreSQL, one NATS and one Cerbos for the whole run; each suite makes its own database and namespace in them.
 * The database is told not to sync: nothing of it has to survive the run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const paths = openDataPaths(mkdtempSync(join(tmpdir(), 'accessops-test-')));
  const group = new ProcessGroup(paths);
  const teardown = async () => {
    await group.stop();
    rmSync(paths.directory, { recursive: true, force: true });
  };
  try {
    const [password, natsPassword] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
    const ports = {
      postgres: await reserveFreePort(),
      nats: await reserveFreePort(),
      grpc: await reserveFreePort(),
      http: await reserveFreePort(),
    };
    const postgres = preparePostgres({
      directory: join(paths.data, 'postgres'),
      port: ports.postgres,
      password,
      durable: false,
      maxConnections: 400,
    });
    const nats = findNatsServer((line) => process.stderr.write(`${line}\n`)).then((program) =>
      prepareNats({
        program,
        directory: join(paths.data, 'nats'),
        configFile: join(paths.run, 'nats.conf'),
        port: ports.nats,
        users: [{ user: 'test', password: natsPassword }],
      }),
    );
    const policies = join(root, 'policies');
    const cerbos = prepareCerbos({ policies, configFile: join(paths.run, 'cerbos.yaml'), grpcPort: ports.grpc, httpPort: ports.http });
    const starting = [postgres, nats, Promise.resolve(cerbos)].map(async (spec) => group.launch(await spec, 0));
    await Promise.race([Promise.all(starting), group.failed.then((error) => Promise.reject(error))]);
    const infrastructure: Infrastructure = {
      adminUrl: postgresUrl(ports.postgres.port, 'postgres', password, 'postgres'),
      nats: { url: `nats://127.0.0.1:${ports.nats.port}`, user: 'test', password: natsPassword, timeoutMs: patienceMs },
      cerbosAddress: `127.0.0.1:${ports.grpc.port}`,
      directory: paths.directory,
      keyFiles: openSecrets(paths.secrets).files,
    };
    project.provide('infrastructure', infrastructure);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}
