import { randomBytes } from 'node:crypto';
import { infrastructure } from '@accessops/testing';
import pg from 'pg';

/** A database to give access to, prepared as docs/connectors.md says. */
export interface TargetDatabase {
  name: string;
  port: number;
  /** The superuser's connections to it. */
  sql: pg.Pool;
  /** Address for the login of the provisioner, straight or through a proxy on another port. */
  url(port?: number): string;
  /** Roles at the target: `reader` may look at the table `customer`, `writer` may change it and make tables in the schema `work`. */
  roles: { reader: string; writer: string };
  loginName: string;
  drop(): Promise<void>;
}

/** Logs in as somebody; the caller ends it. */
export const logIn = async (credential: Record<string, unknown>): Promise<pg.Client> => {
  const { host, port, database, username, password } = credential as Record<string, string>;
  const client = new pg.Client({ host, port: Number(port), database, user: username, password, connectionTimeoutMillis: 60_000 });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

const run = async (url: string, ...statements: string[]) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
};

/** Makes a target. Its role names are hostile on purpose: whatever names are, they are names. */
export const createTargetDatabase = async (): Promise<TargetDatabase> => {
  const { adminUrl } = infrastructure();
  const tag = randomBytes(5).toString('hex');
  const name = `target_${tag}`;
  const [loginName, reader, writer] = [`hands_${tag}`, `Reader "${tag}"; drop role postgres; --`, `writer'${tag}`];
  const quoted = { login: pg.escapeIdentifier(loginName), reader: pg.escapeIdentifier(reader), writer: pg.escapeIdentifier(writer) };
  const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` });
  await run(adminUrl, `create database ${name}`, `create role ${quoted.login} login createrole password 'hands'`);
  await run(
    url.href,
    `revoke all on database ${name} from public`,
    `create role ${quoted.reader}; create role ${quoted.writer}`,
    'create table customer (id serial primary key, name text)',
    `create schema work`,
    `grant connect on database ${name} to ${quoted.reader}, ${quoted.writer}, ${quoted.login}`,
    `grant select on customer to ${quoted.reader}`,
    `grant select, insert, update, delete on customer to ${quoted.writer}; grant usage on customer_id_seq to ${quoted.writer}`,
    `grant usage, create on schema work to ${quoted.writer}`,
    `grant ${quoted.reader}, ${quoted.writer} to ${quoted.login} with admin true, inherit false, set false`,
    `create schema accessops authorization ${quoted.login}`,
  );
  const sql = new pg.Pool({ connectionString: url.href, max: 2 });
  // Dropping the database ends what is still open.
  sql.on('error', () => undefined);
  return {
    name,
    port: Number(url.port),
    sql,
    url: (port = Number(url.port)) => `postgres://${loginName}:hands@127.0.0.1:${port}/${name}`,
    roles: { reader, writer },
    loginName,
    drop: async () => {
      await sql.end();
      const made = new pg.Client({ connectionString: adminUrl });
      await made.connect();
      await made.query(`drop database if exists ${name} with (force)`);
      // Roles that a test has left behind on purpose, and heirs.
      const { rows } = await made.query<{ name: string }>(
        `select rolname as name from pg_roles where rolname like 'accessops\\_%' and oid in (
           select member from pg_auth_members where roleid in ($1::regrole, $2::regrole)
           union select roleid from pg_auth_members where member = $3::regrole
         )`,
        [quoted.reader, quoted.writer, quoted.login],
      );
      for (const { name: role } of rows) await made.query(`drop role ${pg.escapeIdentifier(role)}`);
      await made.query(`drop role ${quoted.reader}, ${quoted.writer}, ${quoted.login}`);
      await made.end();
    },
  };
};
