import { noTenant } from '@accessops/db';
import type { EntityManager } from '@mikro-orm/postgresql';

/**
 * Gives the case the state that `requests` has given the request. When its beginning has not been heard of yet, an empty closed
 * case stands in its place, so that it cannot be opened any more.
 */
export const closeCase = async (
  em: EntityManager,
  tenantId: string,
  { requestId, status, at }: { requestId: string; status: 'REJECTED' | 'CANCELLED'; at: Date },
): Promise<void> => {
  await em.execute(
    `insert into approval_case as known (request_id, tenant_id, requester_id, requester_email, resource_id, role, justification, duration,
                                         stages, open_to, status, created_at, decided_at)
     values (?, ?, ?, '', ?, '', '', '', '[]', '{}', ?, ?, ?)
     on conflict (request_id) do update set status = excluded.status, decided_at = excluded.decided_at, version = known.version + 1
     where known.status <> excluded.status`,
    [requestId, tenantId, noTenant, noTenant, status, at, at],
  );
};
