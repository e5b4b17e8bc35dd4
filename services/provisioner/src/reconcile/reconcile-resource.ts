import { emit } from '@accessops/events';
import { ReconciliationRequestedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { queueRun, requireReconciled } from './queue-runs.ts';
import { Reconciliation } from './reconciliation.ts';

/**
 * Has the targets of a resource compared with its grants soon. Of several calls at once there is one run.
 * Errors: DRIFT_NOT_KNOWN, PERMISSION_DENIED.
 */
export const reconcileResource = async (ctx: Ctx, resourceId: string): Promise<Reconciliation> => {
  const { em, tenantId } = ctx;
  const whose = { tenantId, resourceId };
  await ctx.authorize('resource', 'reconcile', { tenantId });
  await requireReconciled(em, whose);
  const queued = await queueRun(em, whose, true, ctx.origin);
  const run = await em.findOneOrFail(Reconciliation, whose, { orderBy: { createdAt: 'desc', id: 'desc' } });
  if (queued) {
    emit(ctx, ReconciliationRequestedSchema, { resourceId, reconciliationId: run.id }, resourceId, {
      action: 'RECONCILIATION_REQUESTED',
      entityType: 'RESOURCE',
      entityId: resourceId,
    });
  }
  return run;
};
