import { on } from '@accessops/events';
import { RequestClosedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { closeCase } from './close-case.ts';

/** The request is over without access: nobody votes any more, and what the votes had said is settled otherwise. */
export const onRequestClosed = on(RequestClosedSchema, ({ em, tenantId, event }, { requestId, status }) =>
  closeCase(em, tenantId, { requestId, status: status === 'REJECTED' ? 'REJECTED' : 'CANCELLED', at: event.occurredAt }),
);
