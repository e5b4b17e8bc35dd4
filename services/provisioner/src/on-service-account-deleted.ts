import { on } from '@accessops/events';
import { ServiceAccountDeletedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { endAccessOf } from './on-user-updated.ts';

/** A service account that is gone loses all access, as a person does who was deactivated. */
export const onServiceAccountDeleted = on(ServiceAccountDeletedSchema, (ctx, { serviceAccountId, version }) =>
  endAccessOf(ctx, serviceAccountId, version),
);
