import { newId } from '@accessops/db';
import { AppError } from '@accessops/errors';
import type { Event } from '@accessops/events';
import type { EntityManager } from '@mikro-orm/postgresql';
import { validate } from 'uuid';
import type { Whose } from './compare.ts';

const insert = `
  insert into reconciliation (id, tenant_id, resource_id, status, by_hand, origin, due_at, created_at)
  values (?, ?, ?, 'QUEUED', ?, ?, now(), now())
  on conflict (tenant_id, resource_id) where status in ('QUEUED', 'RUNNING') do nothing returning id`;

/** Queues a run; false when one of the resource waits or runs already. */
export const queueRun = async (
  em: EntityManager,
  { tenantId, resourceId }: Whose,
  byHand: boolean,
  origin: Event['origin'],
): Promise<boolean> => {
  const rows = await em.execute<unknown[]>(insert, [newId(), tenantId, resourceId, byHand, JSON.stringify(origin)]);
  return rows.length > 0;
};

const batchSize = 50;

// A tenth earlier each time, more or less: what began together does not stay together.
const takeDue = `
  with due as materialized (
    select tenant_id, resource_id from reconciled_resource where looked_at <= now() - ? * interval '1 millisecond'
    order by looked_at limit ${batchSize} for update skip locked
  )
  update reconciled_resource set looked_at = now() - ? * random() * interval '0.1 milliseconds'
  from due where reconciled_resource.tenant_id = due.tenant_id and reconciled_resource.resource_id = due.resource_id
  returning due.tenant_id as "tenantId", due.resource_id as "resourceId"`;

/** Queues runs of resources that have not been looked at for this long, in all tenants. Instances share the work. */
export const queueDueRuns = async (em: EntityManager, everyMs: number): Promise<void> => {
  const due = await em.execute<Whose[]>(takeDue, [everyMs, everyMs]);
  const origin = { requestId: '', ip: '', userAgent: '', traceparent: '' };
  for (const whose of due) await queueRun(em, whose, false, { ...origin, requestId: `reconciliation-${newId()}` });
};

/** Errors: DRIFT_NOT_KNOWN for what is no resource that access was given to. */
export const requireReconciled = async (em: EntityManager, { tenantId, resourceId }: Whose): Promise<void> => {
  const find = 'select 1 from reconciled_resource where tenant_id = ? and resource_id = ?';
  const rows = validate(resourceId) ? await em.execute<unknown[]>(find, [tenantId, resourceId]) : [];
  if (rows.length === 0) throw new AppError('DRIFT_NOT_KNOWN');
};
