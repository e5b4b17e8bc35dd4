import { madeRolePrefix } from '@accessops/connectors';
import type { ClientBase } from 'pg';
import type { Found } from '../../connector.ts';

interface Row {
  name: string;
  login: boolean;
  member: boolean;
}

const madeName = new RegExp(`^${madeRolePrefix}([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$`);

/** Whose access a role is, by its name. */
const keyOf = (name: string): string | null => madeName.exec(name)?.slice(1).join('-') ?? null;

// What we have made is in the ledger of this database; the server has roles for other databases as well. Whoever hands on a role
// (with its ADMIN OPTION, and not its privileges) does not have it.
const select = `
  with recursive holders as (
    select granted.oid from pg_roles granted where granted.rolname = any($1)
    union
    select membership.member
    from pg_auth_members membership join holders on membership.roleid = holders.oid
    where membership.inherit_option or membership.set_option
  )
  select rolname as name, rolcanlogin as login, holder.oid is not null as member
  from pg_roles left join (select distinct oid from holders) as holder on holder.oid = pg_roles.oid
  where rolname in (select role_name from accessops.access) or (rolcanlogin and holder.oid is not null and rolname <> all($1) and rolname <> current_user)
  order by rolname`;

/**
 * The roles that were made for grants at this database, and others that log in with what is handed out here: the privileges of `groups`. A role
 * that says by its name that it was made for a grant, but not by whom, is found as well: whoever knows the key knows whose it is.
 */
export const listRoles = async (client: ClientBase, groups: readonly string[]): Promise<Found[]> => {
  const { rows } = await client.query<Row>(select, [groups]);
  return rows.map(({ name, login, member }) => ({ key: keyOf(name), name, kind: 'role', inForce: login && member }));
};
