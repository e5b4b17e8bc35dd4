import { LockMode } from '@mikro-orm/postgresql';
import { findById } from '../find-by-id.ts';
import { FeatureFlag } from './feature-flag.ts';

/** A feature flag of the transaction's tenant. Errors: FEATURE_FLAG_NOT_FOUND. */
export const findFeatureFlag = findById(FeatureFlag, 'FEATURE_FLAG_NOT_FOUND');

/** The same, with its row locked. */
export const lockFeatureFlag = findById(FeatureFlag, 'FEATURE_FLAG_NOT_FOUND', LockMode.PESSIMISTIC_WRITE);
