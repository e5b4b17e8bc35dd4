import type { Event } from '@accessops/events';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Whose } from './compare.ts';

/** A run as the process that works on it holds it. */
export interface ClaimedRun extends Whose {
  id: string;
  attempts: number;
  origin: Event['origin'];
}

/** How long a process may work on a run before it is taken for dead. */
export const leaseMs = 60_000;
const mostAttempts = 3;

const giveUp = `
  update reconciliation set status = 'FAILED', error = 'The process that was at it was lost', finished_at = now()
  where status = 'RUNNING' and due_at <= now() and attempts >= ${mostAttempts}`;

const claim = `
  with due as materialized (
    select id from reconciliation where status in ('QUEUED', 'RUNNING') and due_at <= now()
    order by by_hand desc, due_at limit ? for update skip locked
  )
  update reconciliation set status = 'RUNNING', attempts = attempts + 1, due_at = now() + ${leaseMs} * interval '1 millisecond',
    started_at = coalesce(started_at, now())
  from due where reconciliation.id = due.id
  returning reconciliation.id, tenant_id as "tenantId", resource_id as "resourceId", attempts, origin`;

/** Takes runs that wait, first those that somebody has asked for, and those whose process was lost. */
export const claimRuns = async (em: EntityManager, limit: number): Promise<ClaimedRun[]> => {
  await em.execute(giveUp);
  return em.execute<ClaimedRun[]>(claim, [limit]);
};
