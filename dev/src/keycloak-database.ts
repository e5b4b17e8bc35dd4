import type { TlsIdentity } from '@accessops/tls';
import pg from 'pg';
import { withAdmin } from './postgres.ts';

/** Where a Keycloak keeps its data. */
export interface KeycloakDatabase {
  name: string;
  user: string;
  password: string;
}

/** Makes the database and the login of a Keycloak when they are missing. */
export const createKeycloakDatabase = (adminUrl: string, { name, user, password }: KeycloakDatabase, tls?: TlsIdentity): Promise<void> =>
  withAdmin(
    adminUrl,
    async (client) => {
      const [role, database] = [pg.escapeIdentifier(user), pg.escapeIdentifier(name)];
      const { rowCount: hasRole } = await client.query('select from pg_roles where rolname = $1', [user]);
      await client.query(`${hasRole ? 'alter' : 'create'} role ${role} login password ${pg.escapeLiteral(password)}`);
      const { rowCount: hasDatabase } = await client.query('select from pg_database where datname = $1', [name]);
      if (!hasDatabase) await client.query(`create database ${database} owner ${role}`);
      await client.query(`revoke all on database ${database} from public`);
    },
    tls,
  );
