import { emit, type WriteContext } from '@accessops/events';
import { SessionEndedSchema } from '@accessops/proto/accessops/events/v1/events_pb';

/** Which API a session is for. */
export type Audience = 'app' | 'org-admin' | 'admin';

export type EndReason = 'LOGOUT' | 'REUSE' | 'DEACTIVATED' | 'PASSWORD_CHANGED' | 'PROVIDER' | 'RECOVERED';

interface EndedRow {
  id: string;
  tenant_id: string;
  account_id: string;
  email: string;
}

/**
 * Ends the living sessions for which `where` holds (SQL over `s`), each once whoever else tries, and tells of each.
 * From then on their access tokens are refused. Who did it: `actor`, or the person themselves.
 */
export const endSessions = async (
  ctx: WriteContext,
  { where, values, reason, actor }: { where: string; values: unknown[]; reason: EndReason; actor?: WriteContext['actor'] },
): Promise<void> => {
  const rows = await ctx.em.execute<EndedRow[]>(
    `update session s set ended_at = ?, end_reason = ? from account a
      where a.id = s.account_id and s.ended_at is null and s.expires_at > ? and (${where})
      returning s.id, s.tenant_id, s.account_id, a.email`,
    [ctx.now(), reason, ctx.now(), ...values],
  );
  for (const { id, tenant_id, account_id, email } of rows) {
    emit(
      { ...ctx, tenantId: tenant_id, actor: actor ?? { id: account_id, type: 'user', email } },
      SessionEndedSchema,
      { sessionId: id, userId: account_id, reason },
      id,
      {
        action: 'SESSION_ENDED',
        entityType: 'SESSION',
        entityId: id,
        changes: { userId: { after: account_id }, endReason: { after: reason } },
      },
    );
  }
};
