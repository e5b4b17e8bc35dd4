import { LockMode } from '@mikro-orm/postgresql';
import { findById } from './find-by-id.ts';
import { User } from './user.ts';

/** A user of the transaction's tenant. Errors: USER_NOT_FOUND. */
export const findUser = findById(User, 'USER_NOT_FOUND');

/** The same, with its row locked. Lock a team or the tenant in the order team, user, role, tenant. */
export const lockUser = findById(User, 'USER_NOT_FOUND', LockMode.PESSIMISTIC_WRITE);
