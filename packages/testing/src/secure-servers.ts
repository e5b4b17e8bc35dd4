import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  findNatsServer,
  migrateServices,
  type ProcessSpec,
  postgresUrl,
  prepareCerbos,
  prepareNats,
  preparePostgres,
  reserveFreePort,
  root,
  type Service,
  type SupervisedProcess,
  supervise,
} from '@accessops/dev';
import { openTlsIdentity } from '@accessops/tls';
import type { CertificateFiles } from './certificates.ts';
import { type TestDatabase, testPasswords } from './database.ts';
import { infrastructure } from './infrastructure.ts';

const names = ['postgres', 'nats', 'cerbos'] as const;
export type SecureServer = (typeof names)[number];

/** A PostgreSQL, a NATS and a Cerbos of a suite's own, which speak TLS and want a certificate of their CA. */
export interface SecureServers {
  /** With the schemas of the services; the superuser gets in without TLS. */
  database: TestDatabase;
  /** Its one login may do everything. */
  nats: { url: string; user: string; password: string };
  cerbosAddress: string;
  /** Starts one anew, which reads its files then. */
  restart(name: Exclude<SecureServer, 'postgres'>): Promise<void>;
  close(): Promise<void>;
}

/** Starts them with the certificates that are theirs. */
export const startSecureServers = async (
  services: readonly Service[],
  certificates: Record<SecureServer | 'migrate', CertificateFiles>,
): Promise<SecureServers> => {
  const own = mkdtempSync(join(infrastructure().directory, 'secure-'));
  const [adminPassword, natsPassword] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex')];
  const ports = {
    postgres: await reserveFreePort(),
    nats: await reserveFreePort(),
    grpc: await reserveFreePort(),
    http: await reserveFreePort(),
  };
  const program = await findNatsServer((line) => process.stderr.write(`${line}\n`));
  const specs: Record<SecureServer, ProcessSpec> = {
    postgres: await preparePostgres({
      directory: join(own, 'postgres'),
      port: ports.postgres,
      password: adminPassword,
      durable: false,
      tls: certificates.postgres,
    }),
    nats: prepareNats({
      program,
      directory: join(own, 'nats'),
      configFile: join(own, 'nats.conf'),
      port: ports.nats,
      users: [{ user: 'test', password: natsPassword }],
      tls: certificates.nats,
    }),
    cerbos: prepareCerbos({
      policies: join(root, 'policies'),
      configFile: join(own, 'cerbos.yaml'),
      grpcPort: ports.grpc,
      httpPort: ports.http,
      tls: certificates.cerbos,
    }),
  };
  const launch = async (name: SecureServer): Promise<SupervisedProcess> => {
    const process = supervise(specs[name], { logFile: join(own, `${name}.log`) });
    await process.ready;
    return process;
  };
  const running = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await launch(name)] as const))) as Record<
    SecureServer,
    SupervisedProcess
  >;
  const passwords = Object.fromEntries(services.map((service) => [service, testPasswords(service)])) as Record<
    Service,
    { owner: string; app: string }
  >;
  const database = 'accessops';
  await migrateServices({
    adminUrl: `${postgresUrl(ports.postgres.port, 'postgres', adminPassword, 'postgres')}?sslmode=verify-full`,
    database,
    services,
    passwords,
    tls: openTlsIdentity(certificates.migrate),
  });
  const urlOf = (user: string, password: string) => `${postgresUrl(ports.postgres.port, user, password, database)}?sslmode=verify-full`;
  return {
    database: {
      name: database,
      adminUrl: postgresUrl(ports.postgres.port, 'postgres', adminPassword, database),
      appUrl: (service) => urlOf(service, testPasswords(service).app),
      ownerUrl: (service) => urlOf(`${service}_owner`, testPasswords(service).owner),
      drop: async () => undefined,
    },
    nats: { url: `tls://127.0.0.1:${ports.nats.port}`, user: 'test', password: natsPassword },
    cerbosAddress: `tls://localhost:${ports.grpc.port}`,
    restart: async (name) => {
      await running[name].stop();
      running[name] = await launch(name);
    },
    close: async () => {
      await Promise.all(names.map((name) => running[name].stop()));
      rmSync(own, { recursive: true, force: true });
    },
  };
};
