import { emit, type WriteContext } from '@accessops/events';
import { UserCreatedSchema, type UserSnapshotSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { created } from './changes.ts';

/** Tells of somebody new, in the tenant of the context. */
export const tellUserCreated = (
  ctx: WriteContext,
  snapshot: MessageInitShape<typeof UserSnapshotSchema> & { id: string; orgRoles: string[] },
  { email, firstName, lastName, realmRoles }: { email: string; firstName: string; lastName: string; realmRoles?: string[] },
): void =>
  emit(ctx, UserCreatedSchema, { user: snapshot }, snapshot.id, {
    action: 'USER_CREATED',
    entityType: 'USER',
    entityId: snapshot.id,
    changes: created({ email, firstName, lastName, orgRoles: snapshot.orgRoles, ...(realmRoles?.length ? { realmRoles } : {}) }),
  });
