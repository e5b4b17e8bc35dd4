import { on } from '@accessops/events';
import { ServiceAccountDeletedSchema, UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { lapseRequests } from './lapse-requests.ts';

/**
 * Of somebody who was deactivated, and of a service account that was deleted, nothing waits any longer. What a person files once they are
 * active again is later than the event, however late or often that comes.
 */
export const onRequesterGone = [
  on(UserUpdatedSchema, async (ctx, { user }) => {
    if (user && !user.active) await lapseRequests(ctx, 'requester', user.id, ctx.event.occurredAt);
  }),
  on(ServiceAccountDeletedSchema, (ctx, { serviceAccountId }) => lapseRequests(ctx, 'requester', serviceAccountId, ctx.event.occurredAt)),
];
