import { on } from '@accessops/events';
import { GrantRevocationChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { queueAlert } from './mail/alert.ts';
import { User } from './user.ts';

/** Access that does not end is told to the admins of its tenant, who can do something about it: once, as the event comes once. */
export const onGrantRevocationChanged = on(GrantRevocationChangedSchema, async (ctx, { grantId, status, resourceKey, role, since }) => {
  if (status !== 'REVOKE_FAILED') return;
  const { em, tenantId } = ctx;
  const admins = await em.find(User, { tenantId, active: true, orgRoles: { $contains: ['admin'] } }, { orderBy: { email: 'asc' } });
  const about = { grantId, resourceKey, role, since: (since ? timestampDate(since) : ctx.event.occurredAt).toISOString() };
  for (const { email } of admins) await queueAlert(ctx, email, about);
});
