import type { AuditedChange } from '@accessops/events';
import { RequestClosedSchema } from '@accessops/proto/accessops/events/v1/events_pb';

/** What is told when a request that waits ends without access, for `emit`. */
export const closure = (id: string, status: 'REJECTED' | 'CANCELLED' | 'LAPSED', actor?: AuditedChange['actor']) =>
  [
    RequestClosedSchema,
    { requestId: id, status },
    id,
    {
      action: `REQUEST_${status}`,
      entityType: 'REQUEST',
      entityId: id,
      changes: { status: { before: 'PENDING', after: status } },
      actor,
    },
  ] as const;
