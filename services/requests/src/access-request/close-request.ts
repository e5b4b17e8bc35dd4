import { type AuditedChange, emit, type WriteContext } from '@accessops/events';
import { RequestClosedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { leavePending } from './leave-pending.ts';

/** Ends a request that waits, without access; answers false when it no longer waits. */
export const closeRequest = async (
  ctx: WriteContext,
  id: string,
  status: 'REJECTED' | 'CANCELLED',
  actor?: AuditedChange['actor'],
): Promise<boolean> => {
  if (!(await leavePending(ctx, id, status))) return false;
  emit(ctx, RequestClosedSchema, { requestId: id, status }, id, {
    action: `REQUEST_${status}`,
    entityType: 'REQUEST',
    entityId: id,
    changes: { status: { before: 'PENDING', after: status } },
    actor,
  });
  return true;
};
