import { AppError } from '@accessops/errors';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { isId } from '../text.ts';
import { License } from './license.ts';

/** The license of a tenant that the transaction may see. Errors: TENANT_NOT_FOUND. */
export const findLicense = async (em: EntityManager, tenantId: string): Promise<License> => {
  const license = isId(tenantId) ? await em.findOne(License, { tenantId }) : null;
  if (!license) throw new AppError('TENANT_NOT_FOUND');
  return license;
};

/** The same, locked until the transaction ends: whoever counts by it or changes it waits. Lock users before it, never after. */
export const lockLicense = async (em: EntityManager, tenantId: string): Promise<License> => {
  const license = isId(tenantId) ? await em.findOne(License, { tenantId }, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
  if (!license) throw new AppError('TENANT_NOT_FOUND');
  return license;
};
