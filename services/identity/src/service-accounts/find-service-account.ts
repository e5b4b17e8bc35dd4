import { AppError } from '@accessops/errors';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { findById } from '../find-by-id.ts';
import { isId } from '../text.ts';
import { ApiKey } from './api-key.ts';
import { ServiceAccount } from './service-account.ts';

/** A service account of the transaction's tenant. Errors: SERVICE_ACCOUNT_NOT_FOUND. */
export const findServiceAccount = findById(ServiceAccount, 'SERVICE_ACCOUNT_NOT_FOUND');

/** The same, with its row locked until the transaction ends: its scopes and keys are changed by one at a time. After people and roles. */
export const lockServiceAccount = findById(ServiceAccount, 'SERVICE_ACCOUNT_NOT_FOUND', LockMode.PESSIMISTIC_WRITE);

/** A key of this account. Errors: API_KEY_NOT_FOUND. */
export const findApiKey = async (em: EntityManager, account: ServiceAccount, id: string): Promise<ApiKey> => {
  const key = isId(id) ? await em.findOne(ApiKey, { id, serviceAccountId: account.id }) : null;
  if (!key) throw new AppError('API_KEY_NOT_FOUND');
  return key;
};
