import { on } from '@accessops/events';
import { RequestApprovedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { raw } from '@mikro-orm/postgresql';
import { ApprovalCase } from './approval-case.ts';

/** Usually the case has said so itself. */
export const onRequestApproved = on(RequestApprovedSchema, async ({ em, event }, { requestId }) => {
  await em.nativeUpdate(
    ApprovalCase,
    { requestId, status: 'PENDING' },
    { status: 'APPROVED', decidedAt: event.occurredAt, version: raw('version + 1') },
  );
});
