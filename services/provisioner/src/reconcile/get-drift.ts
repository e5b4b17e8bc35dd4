import type { Ctx } from '@accessops/service';
import { requireReconciled } from './queue-runs.ts';
import { Reconciliation } from './reconciliation.ts';

/**
 * The latest comparison of a resource's targets with its grants; null when none was made yet.
 * Errors: DRIFT_NOT_KNOWN, PERMISSION_DENIED.
 */
export const getDrift = async ({ em, tenantId, authorize }: Ctx, resourceId: string): Promise<Reconciliation | null> => {
  await authorize('resource', 'read_drift', { tenantId });
  const whose = { tenantId, resourceId };
  await requireReconciled(em, whose);
  return em.findOne(Reconciliation, whose, { orderBy: { createdAt: 'desc', id: 'desc' } });
};
