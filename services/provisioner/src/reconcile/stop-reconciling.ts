import type { EntityManager } from '@mikro-orm/postgresql';
import type { Whose } from './compare.ts';

/** Forgets a resource and its reports; access that is given there later has it looked at again. */
export const stopReconciling = async (em: EntityManager, { tenantId, resourceId }: Whose): Promise<void> => {
  await em.execute('delete from reconciled_resource where tenant_id = ? and resource_id = ?', [tenantId, resourceId]);
  await em.execute('delete from reconciliation where tenant_id = ? and resource_id = ?', [tenantId, resourceId]);
};
