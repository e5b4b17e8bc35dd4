import type { EntityManager } from '@mikro-orm/postgresql';

/** Somebody who asks for access, or holds it, as a member of a tenant. */
export interface Member {
  tenantId: string;
  userId: string;
}

/** Why somebody may hold no access at all. */
export type Loss = 'TENANT_SUSPENDED' | 'USER_DEACTIVATED';

const memberLock = ({ tenantId, userId }: Member): string => `holder ${tenantId} ${userId}`;
const tenantLock = (tenantId: string): string => `tenant ${tenantId}`;

const lock = (em: EntityManager, name: string) => em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [name]);

/**
 * Keeps what takes these people's access away out until the transaction ends: either it sees that one of them has lost it, or
 * the loss sees the grants that it makes. In order, so that two transactions cannot wait for each other.
 */
export const lockStandings = async (em: EntityManager, members: Member[]): Promise<void> => {
  const names = [...new Set(members.flatMap((member) => [memberLock(member), tenantLock(member.tenantId)]))].sort();
  const calls = names.map(() => 'pg_advisory_xact_lock_shared(hashtextextended(?, 0))').join(', ');
  await em.execute(`select ${calls}`, names);
};

/** SQL for the Loss of a member, null without one; `row` is an alias with tenant_id and requester_id. */
export const lossOf = (row: string): string => `case
  when exists (select from tenant where tenant.tenant_id = ${row}.tenant_id and suspended) then 'TENANT_SUSPENDED'
  when exists (select from holder where holder.tenant_id = ${row}.tenant_id and user_id = ${row}.requester_id and not active) then 'USER_DEACTIVATED'
end`;

/** Remembers what identity says of somebody; older news is ignored. Answers whether this was news. */
export const rememberHolder = async (em: EntityManager, member: Member, active: boolean, version: number): Promise<boolean> => {
  await lock(em, memberLock(member));
  const rows = await em.execute<unknown[]>(
    `insert into holder (tenant_id, user_id, active, version) values (?, ?, ?, ?)
     on conflict (tenant_id, user_id) do update set active = excluded.active, version = excluded.version
     where holder.version < excluded.version returning 1`,
    [member.tenantId, member.userId, active, version],
  );
  return rows.length > 0;
};

/** Remembers whether a tenant is suspended; older news is ignored. Answers whether this was news. */
export const rememberTenant = async (em: EntityManager, tenantId: string, suspended: boolean, version: number): Promise<boolean> => {
  await lock(em, tenantLock(tenantId));
  const rows = await em.execute<unknown[]>(
    `insert into tenant (tenant_id, suspended, version) values (?, ?, ?)
     on conflict (tenant_id) do update set suspended = excluded.suspended, version = excluded.version
     where tenant.version < excluded.version returning 1`,
    [tenantId, suspended, version],
  );
  return rows.length > 0;
};
