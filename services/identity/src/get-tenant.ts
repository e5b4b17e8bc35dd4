import { AppError } from '@accessops/errors';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Tenant } from './tenant.ts';
import { isId } from './text.ts';

/** A tenant that the transaction may see. Errors: TENANT_NOT_FOUND. */
export const getTenant = async (em: EntityManager, id: string): Promise<Tenant> => {
  const tenant = isId(id) ? await em.findOne(Tenant, { id }) : null;
  if (!tenant) throw new AppError('TENANT_NOT_FOUND');
  return tenant;
};
