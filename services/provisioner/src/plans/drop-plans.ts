import type { EntityManager } from '@mikro-orm/postgresql';

/** Of requests that are over without access no plan is made any more, and nothing is kept for applying one. */
export const dropPlans = async (em: EntityManager, tenantId: string, requestIds: string[]): Promise<void> => {
  const list = requestIds.map(() => '?').join(', ');
  await em.execute(`delete from saved_plan where job_id in (select job_id from plan where tenant_id = ? and request_id in (${list}))`, [
    tenantId,
    ...requestIds,
  ]);
  await em.execute(
    `update plan set status = 'FAILED', error = 'The request was over before its plan was made'
     where tenant_id = ? and request_id in (${list}) and status = 'PENDING'`,
    [tenantId, ...requestIds],
  );
};
