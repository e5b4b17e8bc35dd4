import { emit, type WriteContext } from '@accessops/events';
import { InvitationChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Changes } from '../changes.ts';

/** Tells of an invitation, in the tenant of the context. */
export const tellInvitationChanged = (ctx: WriteContext, invitationId: string, action: string, changes: Changes): void =>
  emit(ctx, InvitationChangedSchema, { invitationId }, invitationId, {
    action,
    entityType: 'INVITATION',
    entityId: invitationId,
    changes,
  });
