import { services } from '@accessops/events/topology';
import { jsonFile } from '@accessops/service';
import { tlsFields } from '@accessops/tls';
import { z } from 'zod';

const passwords = z.object({ owner: z.string().min(1), app: z.string().min(1) });

/** What `migrate` is told. */
export const migrateEnvironment = z.object({
  /** A superuser's login: makes roles and databases, and schemas in the database it names. */
  ADMIN_DATABASE_URL: z.string().startsWith('postgres'),
  /** JSON `{"<service>": {"owner": "<password>", "app": "<password>"}}`: the two logins of each service. */
  DATABASE_PASSWORDS_FILE: jsonFile(z.object(Object.fromEntries(services.map((service) => [service, passwords])))),
  ...tlsFields,
});

/** What `await-schema` is told. */
export const awaitSchemaEnvironment = z.object({
  /** Whose schema to wait for. */
  SERVICE: z.enum(services),
  /** The login of the service. */
  DATABASE_URL: z.string().startsWith('postgres'),
  ...tlsFields,
});

/** What `keycloak-database` is told. */
export const keycloakDatabaseEnvironment = z.object({
  /** A superuser's login: makes roles and databases, and schemas in the database it names. */
  ADMIN_DATABASE_URL: z.string().startsWith('postgres'),
  /** Password of the login that Keycloak gets. */
  KEYCLOAK_DATABASE_PASSWORD: z.string().min(1),
  ...tlsFields,
});

/** What `demo` is told. */
export const demoEnvironment = z.object({
  /** A superuser's login: makes roles and databases, and schemas in the database it names. */
  ADMIN_DATABASE_URL: z.string().startsWith('postgres'),
  /** Password of the provisioner's login at the database that the demo gives access to. */
  DEMO_DATABASE_PASSWORD: z.string().min(1),
  ...tlsFields,
});

/** What `recover` is told. */
export const recoverEnvironment = z.object({
  /** A superuser's login in the database of the services. */
  ADMIN_DATABASE_URL: z.string().startsWith('postgres'),
  /** The id that `recover` has printed for another server, where services have a server each: they have to be on one line. */
  LINE: z.uuid().optional(),
  ...tlsFields,
});
