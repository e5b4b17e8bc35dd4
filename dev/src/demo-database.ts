import type { TlsIdentity } from '@accessops/tls';
import type pg from 'pg';
import { withAdmin } from './postgres.ts';

/** The database that `prod-db` of the demo gives access to. */
export const demoDatabase = 'prod';

/** The provisioner's login there. */
export const demoDatabaseLogin = 'prod_accessops';

const customers = `
  create table customer (
    id integer generated always as identity primary key,
    name text not null,
    email text not null unique,
    city text not null,
    since date not null default current_date
  );
  insert into customer (name, email, city, since) values
    ('Mara Lindqvist', 'mara@example.com', 'Malmö', '2023-02-11'),
    ('Tomás Herrera', 'tomas@example.com', 'Valencia', '2024-06-30'),
    ('Aiko Tanabe', 'aiko@example.com', 'Osaka', '2025-01-17');`;

/** What each role of the demo means: `reader` looks at customers, `writer` changes them as well. */
const grants = (database: string) => `
  create role prod_reader nologin;
  create role prod_writer nologin;
  grant connect on database ${database} to prod_reader, prod_writer;
  grant usage on schema public to prod_reader, prod_writer;
  grant select on customer to prod_reader;
  grant select, insert, update, delete on customer to prod_writer;`;

/** The login makes roles and hands on these two, but has none of their privileges itself. */
const login = (database: string) => `
  grant connect on database ${database} to ${demoDatabaseLogin};
  grant prod_reader, prod_writer to ${demoDatabaseLogin} with admin true, inherit false, set false;
  create schema accessops authorization ${demoDatabaseLogin};`;

const fill = async (client: pg.Client): Promise<void> => {
  const { rowCount } = await client.query(`select from pg_class where relname = 'customer' and relnamespace = 'public'::regnamespace`);
  if (rowCount) return;
  // Whoever has no role here gets in nowhere.
  await client.query(`begin; revoke all on database ${demoDatabase} from public; revoke all on schema public from public`);
  await client.query(`${customers} ${grants(demoDatabase)} ${login(demoDatabase)} commit`);
};

/** Makes the database once, with its roles, by the superuser's address of any database there; the login of the provisioner gets this password each time. */
export const makeDemoDatabase = async (adminUrl: string, password: string, tls?: TlsIdentity): Promise<void> => {
  const urlOf = (database: string) => Object.assign(new URL(adminUrl), { pathname: `/${database}` }).href;
  await withAdmin(
    urlOf('postgres'),
    async (client) => {
      const databases = await client.query('select from pg_database where datname = $1', [demoDatabase]);
      if (!databases.rowCount) await client.query(`create database ${demoDatabase}`);
      const roles = await client.query('select from pg_roles where rolname = $1', [demoDatabaseLogin]);
      const verb = roles.rowCount ? 'alter' : 'create';
      await client.query(`${verb} role ${demoDatabaseLogin} with login createrole password ${client.escapeLiteral(password)}`);
      // Roles made for grants are members of nobody's database but the one they are for.
      await client.query('revoke all on database postgres from public; revoke all on database template1 from public');
    },
    tls,
  );
  await withAdmin(urlOf(demoDatabase), fill, tls);
};
