import { noTenant } from '@accessops/db';
import type { EntityManager } from '@mikro-orm/postgresql';

/**
 * In whose audit log it stands what happens to an account: that of the only tenant where the person is a user, else the platform's.
 * Needs a transaction across tenants.
 */
export const homeOf = async (em: EntityManager, accountId: string): Promise<string> => {
  const rows = await em.execute<{ tenant_id: string }[]>('select tenant_id from app_user where id = ? limit 2', [accountId]);
  return (rows.length === 1 && rows[0]?.tenant_id) || noTenant;
};
