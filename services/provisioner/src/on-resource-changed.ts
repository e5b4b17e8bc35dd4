import { on } from '@accessops/events';
import { ResourceChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { stopReconciling } from './reconcile/stop-reconciling.ts';

/** A resource that was removed is not compared with grants any more. */
export const onResourceChanged = on(ResourceChangedSchema, async ({ em, tenantId }, { resourceId, change }) => {
  if (change?.action === 'RESOURCE_DELETED') await stopReconciling(em, { tenantId, resourceId });
});
