import type { ConfigProblem, PostgresConfig } from '@accessops/connectors';
import type { ClientBase } from 'pg';
import { ConnectorError } from '../../connector.ts';
import type { Target } from './target.ts';

interface Facts {
  version: number;
  user: string;
  superuser: boolean;
  createRole: boolean;
  hasSchema: boolean;
  ownsOthers: boolean;
}

const oldest = 160_000;

const factsOf = async (client: ClientBase): Promise<Facts> => {
  const { rows } = await client.query<Facts>(
    `select current_setting('server_version_num')::integer as version, current_user as user, rolsuper as superuser,
       rolcreaterole as "createRole",
       exists (select from pg_namespace where nspname = 'accessops' and has_schema_privilege(oid, 'usage, create')) as "hasSchema",
       exists (
         select from pg_shdepend where refclassid = 'pg_authid'::regclass and refobjid = pg_roles.oid and deptype = 'o'
           and dbid = (select oid from pg_database where datname = current_database())
           and (classid, objid) not in (
             select 'pg_namespace'::regclass, oid from pg_namespace where nspname = 'accessops'
             union all select 'pg_class'::regclass, oid from pg_class where relnamespace = to_regnamespace('accessops')
           )
       ) as "ownsOthers"
     from pg_roles where rolname = current_user`,
  );
  const [facts] = rows;
  if (!facts) throw new ConnectorError('refused', 'The login is no role of the database');
  return facts;
};

const loginProblems = ({ version, user, superuser, createRole, hasSchema, ownsOthers }: Facts): string[] => [
  ...(version < oldest ? ['leads to a server older than PostgreSQL 16, where CREATEROLE gives away too much'] : []),
  ...(superuser ? [`is the superuser "${user}": use a login with CREATEROLE only`] : []),
  ...(superuser || createRole ? [] : [`logs in as "${user}", which needs CREATEROLE`]),
  ...(hasSchema ? [] : [`logs in as "${user}", which needs a schema "accessops" of its own in the database`]),
  ...(ownsOthers ? [`logs in as "${user}", which owns more than the schema "accessops": code in it would run with its rights`] : []),
];

interface RoleFacts {
  superuser: boolean;
  admin: boolean;
  connects: boolean;
}

const roleProblem = async (client: ClientBase, role: string): Promise<string | undefined> => {
  const { rows } = await client.query<RoleFacts>(
    `select rolsuper as superuser, pg_has_role(current_user, oid, 'member with admin option') as admin,
       has_database_privilege(oid, current_database(), 'connect') as connects
     from pg_roles where rolname = $1`,
    [role],
  );
  const [facts] = rows;
  if (!facts) return 'does not exist at the target';
  if (facts.superuser) return 'is a superuser';
  if (!facts.admin) return 'cannot be granted by this login, which needs ADMIN OPTION on it';
  if (!facts.connects) return 'may not connect to the database';
  return undefined;
};

/** Looks at a target in the eyes of its login: what somebody has to put right before access can be given; nothing when all is well. */
export const checkTarget = (
  target: Target,
  config: PostgresConfig,
  roles: readonly string[],
  signal: AbortSignal,
): Promise<ConfigProblem[]> =>
  target.transaction(signal, async (client) => {
    const problems = loginProblems(await factsOf(client)).map((message) => ({ pointer: '/login', message }));
    for (const role of roles) {
      for (const [index, name] of (config.roles[role] ?? []).entries()) {
        const message = await roleProblem(client, name);
        if (message) problems.push({ pointer: `/roles/${role}/${index}`, message });
      }
    }
    return problems;
  });
