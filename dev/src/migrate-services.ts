import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createServiceSchema, migrate } from '@accessops/db';
import type { Service } from '@accessops/events/topology';
import type { TlsIdentity } from '@accessops/tls';
import { root } from './paths.ts';
import { withAdmin } from './postgres.ts';

export interface MigrateServicesOptions {
  /** The superuser's address of a database that exists. */
  adminUrl: string;
  /** The database to migrate; made when missing. */
  database: string;
  services: readonly Service[];
  /** Passwords of each service's two logins. */
  passwords: Record<Service, { owner: string; app: string }>;
  direction?: 'up' | 'down';
  /** Whom to connect as where the address asks for TLS. */
  tls?: TlsIdentity;
}

const withDatabase = (url: string, database: string) => Object.assign(new URL(url), { pathname: `/${database}` }).href;

const withLogin = (url: string, username: string, password: string) =>
  Object.assign(new URL(url), { username, password: encodeURIComponent(password) }).href;

/** Gives each service its schema and logins in the database and runs its migrations; answers how many were run. */
export const migrateServices = async ({
  adminUrl,
  database,
  services,
  passwords,
  direction = 'up',
  tls,
}: MigrateServicesOptions): Promise<number> => {
  await withAdmin(
    adminUrl,
    async (client) => {
      const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
      if (!rowCount) await client.query(`create database ${client.escapeIdentifier(database)}`);
    },
    tls,
  );
  const url = withDatabase(adminUrl, database);
  const migrateOne = async (service: Service) => {
    const { owner, app } = passwords[service];
    await createServiceSchema(url, { service, ownerPassword: owner, appPassword: app, tls });
    const directory = join(root, 'services', service, 'migrations');
    if (!existsSync(directory)) return 0;
    return (await migrate({ url: withLogin(url, `${service}_owner`, owner), service, directory, direction, tls })).length;
  };
  const counts = await Promise.all(services.map(migrateOne));
  return counts.reduce((sum, count) => sum + count, 0);
};
