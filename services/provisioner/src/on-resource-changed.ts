import { on } from '@accessops/events';
import { ResourceChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { endGrantsWhere } from './grants/end-grants.ts';
import { stopReconciling } from './reconcile/stop-reconciling.ts';
import { rememberRemoval } from './standing.ts';

/** All access to a resource that was removed ends, and it is not compared with grants any more. */
export const onResourceChanged = on(ResourceChangedSchema, async (ctx, { resourceId, change }) => {
  if (change?.action !== 'RESOURCE_DELETED') return;
  const { em, tenantId } = ctx;
  await rememberRemoval(em, { tenantId, resourceId });
  await endGrantsWhere(ctx, { tenantId, resourceId }, 'RESOURCE_REMOVED');
  await stopReconciling(em, { tenantId, resourceId });
});
