import { madeRolePrefix, type PostgresConfig } from '@accessops/connectors';
import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg';
import { type Access, nonsense } from '../../connector.ts';

/** The role of one access: made from its key alone, never from what people have typed. */
export const roleNameOf = ({ key }: Access): string => `${madeRolePrefix}${key.replaceAll('-', '')}`;

const roleExists = async (client: ClientBase, name: string): Promise<boolean> =>
  ((await client.query('select from pg_roles where rolname = $1', [name])).rowCount ?? 0) > 0;

export interface RoleOptions {
  verifier: string;
  memberOf: readonly string[];
  durationMs: number;
  connectionLimit: PostgresConfig['connectionLimit'];
}

/** The end of access that begins or goes on now, by the clock of the target; as a literal. */
const endOf = async (client: ClientBase, durationMs: number): Promise<string> => {
  const { rows } = await client.query<{ until: string }>(
    `select to_char((clock_timestamp() + $1 * interval '1 millisecond') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as until`,
    [durationMs],
  );
  return escapeLiteral(rows[0]?.until ?? '');
};

/**
 * Makes the role, or makes it anew: it logs in with the password of the verifier until its time is up by the clock of the target. It has
 * the privileges of the roles it is a member of, but cannot become one of them, nor hand them on.
 */
export const makeRole = async (client: ClientBase, name: string, { verifier, memberOf, durationMs, connectionLimit }: RoleOptions) => {
  const role = escapeIdentifier(name);
  if (!(await roleExists(client, name))) await client.query(`create role ${role}`);
  const until = await endOf(client, durationMs);
  await client.query(
    `alter role ${role} with login connection limit ${connectionLimit} password ${escapeLiteral(verifier)} valid until ${until}`,
  );
  const groups = memberOf.map(escapeIdentifier).join(', ');
  await client.query(`grant ${groups} to ${role} with inherit true, set false, admin false`);
};

/** Has the role log in for longer, with the password that it has; false when there is no such role. */
export const prolongRole = async (client: ClientBase, name: string, durationMs: number): Promise<boolean> => {
  if (!(await roleExists(client, name))) return false;
  await client.query(`alter role ${escapeIdentifier(name)} valid until ${await endOf(client, durationMs)}`);
  return true;
};

/** Shuts the door: nobody logs in any more. Its owner may see to its sessions afterwards. */
export const closeRole = async (client: ClientBase, name: string): Promise<void> => {
  if (!(await roleExists(client, name))) return;
  const role = escapeIdentifier(name);
  await client.query(`alter role ${role} with nologin connection limit 0 password null valid until '-infinity'`);
  // Only who has the privileges of a role may end its sessions and pass on what it owns.
  await client.query(`grant ${role} to current_user with inherit true, set true`);
};

/** Ends sessions of the role; answers how many there were. */
export const endSessions = async (client: ClientBase, name: string): Promise<number> => {
  const { rowCount } = await client.query('select pg_terminate_backend(pid, 1000) from pg_stat_activity where usename = $1', [name]);
  return rowCount ?? 0;
};

/** Who owns what the role of an access has left behind: by its prefix nobody can be given it. */
const heirOf = (name: string): string => `${madeRolePrefix}heir_${name.slice(madeRolePrefix.length)}`;

const ownsAnything = async (client: ClientBase, name: string): Promise<boolean> => {
  const { rowCount } = await client.query(
    `select from pg_shdepend where refclassid = 'pg_authid'::regclass and refobjid = quote_ident($1)::regrole and deptype = 'o'
       and dbid in (0, (select oid from pg_database where datname = current_database()))`,
    [name],
  );
  return (rowCount ?? 0) > 0;
};

/**
 * Passes on what the role owns in this database. Whatever is owned may hold code that runs with the rights of its owner: so the heir has no
 * rights but to what this one holder has left, and we do not keep those.
 */
const passOn = async (client: ClientBase, name: string): Promise<void> => {
  if (!(await ownsAnything(client, name))) return;
  const [role, heir] = [name, heirOf(name)].map((each) => escapeIdentifier(each));
  if (!(await roleExists(client, heirOf(name)))) await client.query(`create role ${heir} nologin`);
  await client.query(`grant ${heir} to current_user with inherit true, set true`);
  // Who is to own something in a schema has to be somebody who may make things there; nobody sees it before that is over.
  await client.query(`grant ${role} to ${heir} with inherit true, set false`);
  await client.query(`reassign owned by ${role} to ${heir}`);
  await client.query(`revoke ${role} from ${heir}`);
  await client.query(`revoke ${heir} from current_user`);
};

/** Takes all rights from the role: what it owns in this database goes to an heir without any, and it is a member of nothing any more. */
export const stripRole = async (client: ClientBase, name: string): Promise<void> => {
  if (!(await roleExists(client, name))) return;
  await passOn(client, name);
  const role = escapeIdentifier(name);
  await client.query(`drop owned by ${role}`);
  const { rows } = await client.query<{ group: string }>(
    `select roleid::regrole::text as group from pg_auth_members join pg_roles grantor on grantor.oid = grantor
     where member = quote_ident($1)::regrole and rolname = current_user`,
    [name],
  );
  if (rows.length > 0) await client.query(`revoke ${rows.map(({ group }) => group).join(', ')} from ${role}`);
};

/** Removes the role. */
export const dropRole = async (client: ClientBase, name: string): Promise<void> => {
  if (await roleExists(client, name)) await client.query(`drop role ${escapeIdentifier(name)}`);
};

/** Whether the role, or a session of it, is there. */
export const isRoleThere = async (client: ClientBase, name: string, { key }: Access): Promise<boolean> => {
  const { rows } = await client.query<{ there: boolean }>(
    `select exists (select from pg_roles where rolname = $1) or exists (
       select from pg_stat_activity where usename = $1 or usesysid = (select role_oid from accessops.access where key = $2)
     ) as there`,
    [name, key],
  );
  if (typeof rows[0]?.there !== 'boolean') throw nonsense('The database');
  return rows[0].there;
};
