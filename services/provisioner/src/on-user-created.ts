import { newId, noTenant } from '@accessops/db';
import { on } from '@accessops/events';
import { UserCreatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { queueJobs } from './jobs/queue-jobs.ts';

/** Whoever has joined a tenant is welcomed by mail. */
export const onUserCreated = on(UserCreatedSchema, async (ctx, { user }) => {
  if (!user || ctx.tenantId === noTenant) return;
  await queueJobs([{ ctx, job: { id: newId(), requestId: null, grantId: null, kind: 'WELCOME_MAIL', requesterId: user.id, spec: {} } }]);
});
