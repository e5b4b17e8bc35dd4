import type { EntityManager } from '@mikro-orm/postgresql';
import type { ApprovalCase } from './approval-case.ts';

/** Who might have filed the request of a case as the service account that asks, or may act as it now; nobody where a person asks. */
export const custodiansOf = async (
  em: EntityManager,
  { tenantId, requesterId, custodianIds }: Pick<ApprovalCase, 'tenantId' | 'requesterId' | 'custodianIds'>,
): Promise<string[]> => {
  const [account] = await em.execute<{ ids: string[] }[]>(
    'select to_jsonb(custodian_ids) as ids from service_account where tenant_id = ? and id = ?',
    [tenantId, requesterId],
  );
  return [...new Set([...(custodianIds ?? []), ...(account?.ids ?? [])])];
};
