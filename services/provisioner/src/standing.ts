import type { EntityManager } from '@mikro-orm/postgresql';

/** Somebody who asks for access, or holds it, as a member of a tenant. */
export interface Member {
  tenantId: string;
  userId: string;
}

/** Why somebody may hold no access at all, or none to this resource. */
export const losses = ['TENANT_SUSPENDED', 'USER_DEACTIVATED', 'RESOURCE_REMOVED'] as const;

export type Loss = (typeof losses)[number];

/** Somebody's access to a resource. */
export interface Holding extends Member {
  resourceId: string;
}

const memberLock = ({ tenantId, userId }: Member): string => `holder ${tenantId} ${userId}`;
const resourceLock = ({ tenantId, resourceId }: Pick<Holding, 'tenantId' | 'resourceId'>): string => `resource ${tenantId} ${resourceId}`;
const tenantLock = (tenantId: string): string => `tenant ${tenantId}`;

const lock = (em: EntityManager, name: string) => em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [name]);

/**
 * Keeps what takes this access away out until the transaction ends: either it sees that some of it is lost, or
 * the loss sees the grants that it makes. In order, so that two transactions cannot wait for each other.
 */
export const lockStandings = async (em: EntityManager, holdings: Holding[]): Promise<void> => {
  const names = [
    ...new Set(holdings.flatMap((holding) => [memberLock(holding), tenantLock(holding.tenantId), resourceLock(holding)])),
  ].sort();
  const calls = names.map(() => 'pg_advisory_xact_lock_shared(hashtextextended(?, 0))').join(', ');
  await em.execute(`select ${calls}`, names);
};

/** SQL for the Loss of a holding, null without one; `row` is an alias with tenant_id, requester_id and spec. */
export const lossOf = (row: string): string => `case
  when exists (select from tenant where tenant.tenant_id = ${row}.tenant_id and suspended) then 'TENANT_SUSPENDED'
  when exists (select from holder where holder.tenant_id = ${row}.tenant_id and user_id = ${row}.requester_id and not active) then 'USER_DEACTIVATED'
  when exists (select from removed_resource as gone where gone.tenant_id = ${row}.tenant_id and resource_id = (${row}.spec ->> 'resourceId')::uuid)
    then 'RESOURCE_REMOVED'
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

/** Remembers that a resource is gone, for good. */
export const rememberRemoval = async (em: EntityManager, resource: Pick<Holding, 'tenantId' | 'resourceId'>): Promise<void> => {
  await lock(em, resourceLock(resource));
  await em.execute('insert into removed_resource (tenant_id, resource_id) values (?, ?) on conflict do nothing', [
    resource.tenantId,
    resource.resourceId,
  ]);
};
