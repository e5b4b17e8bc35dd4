import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  findNatsServer,
  type ProcessSpec,
  postgresUrl,
  prepareCerbos,
  prepareNats,
  preparePostgres,
  reserveFreePort,
  root,
} from '@accessops/dev';
import type { CertificateFiles } from './certificates.ts';
import type { Infrastructure } from './infrastructure.ts';
import { patienceMs } from './patience.ts';

export type TestServer = 'postgres' | 'nats' | 'cerbos';

/** Servers that only have to be started, and where they will be. */
export interface PreparedServers extends Pick<Infrastructure, 'adminUrl' | 'nats' | 'cerbosAddress'> {
  specs: Record<TestServer, ProcessSpec>;
}

/**
 * A PostgreSQL, a NATS and a Cerbos with their files in a folder; by TLS where there are certificates. The database is told not to sync: nothing of
 * it has to survive the run.
 */
export const prepareServers = async (folder: string, tls?: Record<TestServer, CertificateFiles>): Promise<PreparedServers> => {
  const [adminPassword, natsPassword] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
  const ports = {
    postgres: await reserveFreePort(),
    nats: await reserveFreePort(),
    grpc: await reserveFreePort(),
    http: await reserveFreePort(),
  };
  const [postgres, program] = await Promise.all([
    preparePostgres({
      directory: join(folder, 'postgres'),
      port: ports.postgres,
      password: adminPassword,
      durable: false,
      maxConnections: 400,
      tls: tls?.postgres,
    }),
    findNatsServer((line) => process.stderr.write(`${line}\n`)),
  ]);
  const nats = prepareNats({
    program,
    directory: join(folder, 'nats'),
    configFile: join(folder, 'nats.conf'),
    port: ports.nats,
    users: [{ user: 'test', password: natsPassword }],
    tls: tls?.nats,
  });
  const cerbos = prepareCerbos({
    policies: join(root, 'policies'),
    configFile: join(folder, 'cerbos.yaml'),
    grpcPort: ports.grpc,
    httpPort: ports.http,
    tls: tls?.cerbos,
  });
  return {
    specs: { postgres, nats, cerbos },
    adminUrl: postgresUrl(ports.postgres.port, 'postgres', adminPassword, 'postgres'),
    nats: { url: `${tls ? 'tls' : 'nats'}://127.0.0.1:${ports.nats.port}`, user: 'test', password: natsPassword, timeoutMs: patienceMs },
    cerbosAddress: tls ? `tls://localhost:${ports.grpc.port}` : `127.0.0.1:${ports.grpc.port}`,
  };
};
