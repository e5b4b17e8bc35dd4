import { AppError } from '@accessops/errors';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { isId } from '../text.ts';
import { FeatureFlag } from './feature-flag.ts';

/** A feature flag of the transaction's tenant. Errors: FEATURE_FLAG_NOT_FOUND. */
export const findFeatureFlag = async (em: EntityManager, id: string, { locked = false } = {}): Promise<FeatureFlag> => {
  const flag = isId(id) ? await em.findOne(FeatureFlag, { id }, locked ? { lockMode: LockMode.PESSIMISTIC_WRITE } : {}) : null;
  if (!flag) throw new AppError('FEATURE_FLAG_NOT_FOUND');
  return flag;
};
