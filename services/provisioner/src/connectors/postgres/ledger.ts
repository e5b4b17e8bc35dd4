import type { ClientBase } from 'pg';
import type { Access } from '../../connector.ts';

/**
 * What the target itself remembers of each access: the latest worker that it has heard of, and whether the access is meant to be
 * there. It is what keeps a worker out that was taken for dead; locking its row puts calls under one key in an order.
 */
export const ensureLedger = async (client: ClientBase): Promise<void> => {
  const { rows } = await client.query<{ there: boolean }>(`select to_regclass('accessops.access') is not null as there`);
  if (rows[0]?.there) return;
  await client.query(`select pg_advisory_xact_lock(hashtext('accessops.access'))`);
  await client.query(
    `create table if not exists accessops.access (
       key uuid primary key, role_name text not null, role_oid oid, fence integer not null, present boolean not null,
       changed_at timestamptz not null default now()
     )`,
  );
};

/** Notes that the access is to be there; false when a later worker was here. */
export const claimPresence = async (client: ClientBase, { key, fence }: Access, roleName: string): Promise<boolean> => {
  const { rowCount } = await client.query(
    `insert into accessops.access as a (key, role_name, fence, present) values ($1, $2, $3, true)
     on conflict (key) do update set fence = excluded.fence, present = true, changed_at = now()
     where a.fence < excluded.fence or (a.fence = excluded.fence and a.present)`,
    [key, roleName, fence],
  );
  return rowCount === 1;
};

/** Notes that the access is to be gone; false when a later worker was here. */
export const claimAbsence = async (client: ClientBase, { key, fence }: Access, roleName: string): Promise<boolean> => {
  const { rowCount } = await client.query(
    `insert into accessops.access as a (key, role_name, fence, present) values ($1, $2, $3, false)
     on conflict (key) do update set fence = excluded.fence, present = false, changed_at = now() where a.fence <= excluded.fence`,
    [key, roleName, fence],
  );
  return rowCount === 1;
};

/** Notes under which number the server keeps the role: its sessions are known by it even after the role has gone. */
export const noteRole = async (client: ClientBase, { key }: Access): Promise<void> => {
  await client.query('update accessops.access set role_oid = to_regrole(quote_ident(role_name))::oid where key = $1', [key]);
};
