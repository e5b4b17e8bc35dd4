import { emit, type WriteContext } from '@accessops/events';
import { MfaChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';

type Action = 'MFA_ENROLMENT_STARTED' | 'MFA_ENROLLED' | 'MFA_REMOVED' | 'MFA_RECOVERY_CODES_RENEWED';

/** Tells that somebody's second factor has changed. */
export const tellMfaChanged = (
  ctx: WriteContext,
  userId: string,
  action: Action,
  changes: Record<string, { before?: unknown; after?: unknown }> = {},
): void => emit(ctx, MfaChangedSchema, { userId }, userId, { action, entityType: 'USER', entityId: userId, changes });
