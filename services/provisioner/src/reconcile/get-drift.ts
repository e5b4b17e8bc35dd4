import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { validate } from 'uuid';
import { isReconciled } from './queue-runs.ts';
import { Reconciliation } from './reconciliation.ts';

/**
 * The latest comparison of a resource's targets with its grants; null when none was made yet.
 * Errors: DRIFT_NOT_KNOWN, PERMISSION_DENIED.
 */
export const getDrift = async ({ em, tenantId, authorize }: Ctx, resourceId: string): Promise<Reconciliation | null> => {
  await authorize('resource', 'read_drift', { tenantId });
  const whose = { tenantId, resourceId };
  if (!validate(resourceId) || !(await isReconciled(em, whose))) throw new AppError('DRIFT_NOT_KNOWN');
  return em.findOne(Reconciliation, whose, { orderBy: { createdAt: 'desc', id: 'desc' } });
};
