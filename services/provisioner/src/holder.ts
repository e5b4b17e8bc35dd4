import type { EntityManager } from '@mikro-orm/postgresql';

interface Person {
  tenantId: string;
  userId: string;
}

const lockName = ({ tenantId, userId }: Person): string => `holder ${tenantId} ${userId}`;

/**
 * Keeps deactivations of these people out until the transaction ends: either it sees that one of them is deactivated, or
 * the deactivation sees the grants that it makes. In order, so that two transactions cannot wait for each other.
 */
export const lockHoldersShared = async (em: EntityManager, people: Person[]): Promise<void> => {
  const names = [...new Set(people.map(lockName))].sort();
  const calls = names.map(() => 'pg_advisory_xact_lock_shared(hashtextextended(?, 0))').join(', ');
  await em.execute(`select ${calls}`, names);
};

/** Remembers what identity says of somebody; older news is ignored. Answers whether this was news. */
export const rememberHolder = async (em: EntityManager, person: Person, active: boolean, version: number): Promise<boolean> => {
  await em.execute('select pg_advisory_xact_lock(hashtextextended(?, 0))', [lockName(person)]);
  const rows = await em.execute<unknown[]>(
    `insert into holder (tenant_id, user_id, active, version) values (?, ?, ?, ?)
     on conflict (tenant_id, user_id) do update set active = excluded.active, version = excluded.version
     where holder.version < excluded.version returning 1`,
    [person.tenantId, person.userId, active, version],
  );
  return rows.length > 0;
};
