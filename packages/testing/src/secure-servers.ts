import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { migrateServices, type Service, type SupervisedProcess, supervise } from '@accessops/dev';
import { openTlsIdentity } from '@accessops/tls';
import type { CertificateFiles } from './certificates.ts';
import { addressIn, passwordsOf, type TestDatabase, testPasswords } from './database.ts';
import { type Infrastructure, infrastructure } from './infrastructure.ts';
import { prepareServers, type TestServer } from './prepare-servers.ts';

const names = ['postgres', 'nats', 'cerbos'] as const;

/** A PostgreSQL, a NATS and a Cerbos of a suite's own, which speak TLS and want a certificate of their CA. */
export interface SecureServers {
  /** With the schemas of the services; the superuser gets in without TLS. */
  database: TestDatabase;
  /** Its one login may do everything. */
  nats: Infrastructure['nats'];
  cerbosAddress: string;
  /** Starts one anew, which reads its files then. */
  restart(name: Exclude<TestServer, 'postgres'>): Promise<void>;
  close(): Promise<void>;
}

/** Starts them with the certificates that are theirs. */
export const startSecureServers = async (
  services: readonly Service[],
  { migrate, ...certificates }: Record<TestServer | 'migrate', CertificateFiles>,
): Promise<SecureServers> => {
  const own = mkdtempSync(join(infrastructure().directory, 'secure-'));
  const { specs, adminUrl, nats, cerbosAddress } = await prepareServers(own, certificates);
  const launch = async (name: TestServer): Promise<SupervisedProcess> => {
    const process = supervise(specs[name], { logFile: join(own, `${name}.log`) });
    await process.ready;
    return process;
  };
  const running = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await launch(name)] as const))) as Record<
    TestServer,
    SupervisedProcess
  >;
  const database = 'accessops';
  await migrateServices({
    adminUrl: `${adminUrl}?sslmode=verify-full`,
    database,
    services,
    passwords: passwordsOf(services),
    tls: openTlsIdentity(migrate),
  });
  const urlOf = (user: string, password: string) => `${addressIn(adminUrl, database, user, password)}?sslmode=verify-full`;
  return {
    database: {
      name: database,
      adminUrl: addressIn(adminUrl, database),
      appUrl: (service) => urlOf(service, testPasswords(service).app),
      ownerUrl: (service) => urlOf(`${service}_owner`, testPasswords(service).owner),
      drop: async () => undefined,
    },
    nats,
    cerbosAddress,
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
