import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { migrateServices, root, type Service, withAdmin } from '@accessops/dev';
import { infrastructure } from './infrastructure.ts';

/** A database of a suite's own. */
export interface TestDatabase {
  /** Its name. */
  name: string;
  /** The superuser's address, for looking at what row-level security hides. */
  adminUrl: string;
  /** The address of a service's application login. */
  appUrl(service: string): string;
  /** The address of the login that owns a service's schema. */
  ownerUrl(service: string): string;
  /** Ends all sessions on it and removes it. */
  drop(): Promise<void>;
}

// The logins exist only on the loopback interface and only while the tests run.
export const testPasswords = (service: string): { owner: string; app: string } => ({ owner: `${service}-owner`, app: `${service}-app` });

/** The passwords of services' logins, for migrating them. */
export const passwordsOf = (services: readonly Service[]) =>
  Object.fromEntries(services.map((service) => [service, testPasswords(service)])) as Record<Service, { owner: string; app: string }>;

/** The address of another database of the same server, as another login where one is named. */
export const addressIn = (adminUrl: string, database: string, user?: string, password?: string) =>
  Object.assign(new URL(adminUrl), { pathname: `/${database}`, ...(user && { username: user, password }) }).href;

/**
 * A database with the schemas and migrations of the services, made once per run and then copied. Advisory locks hold
 * within one database: all workers meet in `postgres`.
 */
const ensureTemplate = async (adminUrl: string, services: readonly Service[]): Promise<string> => {
  const template = `template_${createHash('sha256').update(services.join()).digest('hex').slice(0, 12)}`;
  await withAdmin(adminUrl, async (client) => {
    await client.query(`select pg_advisory_lock(hashtext('accessops-template'))`);
    const { rows } = await client.query('select datistemplate from pg_database where datname = $1', [template]);
    if (rows[0]?.datistemplate) return;
    await client.query(`drop database if exists ${template} with (force)`);
    await migrateServices({ adminUrl, database: template, services, passwords: passwordsOf(services) });
    // The mark that it is complete.
    await client.query(`alter database ${template} is_template true`);
  });
  return template;
};

/** A fresh database with the schemas, logins and migrations of the named services. */
export const createDatabase = async (wanted: readonly Service[]): Promise<TestDatabase> => {
  const { adminUrl } = infrastructure();
  const services = [...new Set(wanted)].sort();
  const template = await ensureTemplate(adminUrl, services);
  const name = `test_${randomBytes(6).toString('hex')}`;
  await withAdmin(adminUrl, async (client) => {
    await client.query(`create database ${name} template ${template} strategy file_copy`);
    // What is granted on a database, and settings of roles in it, are not copied with it.
    await client.query(`revoke all on database ${name} from public`);
    for (const service of services) {
      for (const role of [service, `${service}_owner`]) {
        await client.query(`grant connect on database ${name} to ${role}`);
        await client.query(`alter role ${role} in database ${name} set search_path = ${service}`);
      }
    }
  });
  return {
    name,
    adminUrl: addressIn(adminUrl, name),
    appUrl: (service) => addressIn(adminUrl, name, service, testPasswords(service).app),
    ownerUrl: (service) => addressIn(adminUrl, name, `${service}_owner`, testPasswords(service).owner),
    // A pool that was ended may still be closing connections. The plain command waits five seconds for them; cut off, they would throw.
    drop: () =>
      withAdmin(adminUrl, async (client) => {
        const drop = `drop database if exists ${name}`;
        await client.query(drop).catch(() => client.query(`${drop} with (force)`));
      }),
  };
};

/** The folder of a service's migrations. */
export const migrationsOf = (service: string): string => {
  const directory = join(root, 'services', service, 'migrations');
  if (!existsSync(directory)) throw new Error(`${service} has no migrations`);
  return directory;
};
