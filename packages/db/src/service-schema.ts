import { databaseAddress, type TlsIdentity } from '@accessops/tls';
import pg from 'pg';

export interface ServiceSchemaOptions {
  /** Name of the service: of its schema and its application login; `<service>_owner` owns the schema. */
  service: string;
  ownerPassword: string;
  appPassword: string;
  /** Whom to connect as where the address asks for TLS. */
  tls?: TlsIdentity;
}

const identifier = (name: string) => pg.escapeIdentifier(name);

const ensureLogin = async (client: pg.Client, role: string, password: string) => {
  const options = `login nosuperuser nocreatedb nocreaterole nobypassrls password ${pg.escapeLiteral(password)}`;
  const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
  await client.query(`${rowCount ? 'alter' : 'create'} role ${identifier(role)} ${options}`);
};

/**
 * Gives a service its own schema in the database of `adminUrl`, an owner for migrations and a login for the application,
 * which may use tables but owns none and cannot pass row-level security. Can be run again.
 */
export const createServiceSchema = async (
  adminUrl: string,
  { service, ownerPassword, appPassword, tls }: ServiceSchemaOptions,
): Promise<void> => {
  const client = new pg.Client(databaseAddress(adminUrl, tls));
  await client.connect();
  try {
    // Roles belong to the whole cluster: two platforms setting up at once must not both create one.
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('accessops-roles'))`);
    const owner = `${service}_owner`;
    await ensureLogin(client, owner, ownerPassword);
    await ensureLogin(client, service, appPassword);
    const { rows } = await client.query<{ name: string }>('select current_database() as name');
    const database = identifier(rows[0]?.name ?? '');
    const [schema, app, own] = [identifier(service), identifier(service), identifier(owner)];
    await client.query(`revoke all on database ${database} from public`);
    await client.query('revoke all on schema public from public');
    await client.query(`grant connect on database ${database} to ${app}, ${own}`);
    await client.query(`create schema if not exists ${schema} authorization ${own}`);
    await client.query(`grant usage on schema ${schema} to ${app}`);
    await client.query(`alter role ${app} in database ${database} set search_path = ${schema}`);
    await client.query(`alter role ${own} in database ${database} set search_path = ${schema}`);
    await client.query(
      `alter default privileges for role ${own} in schema ${schema} grant select, insert, update, delete on tables to ${app}`,
    );
    await client.query(`alter default privileges for role ${own} in schema ${schema} grant usage on sequences to ${app}`);
    await client.query(`alter default privileges for role ${own} in schema ${schema} grant execute on functions to ${app}`);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    await client.end();
  }
};
