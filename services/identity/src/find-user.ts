import { AppError } from '@accessops/errors';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { isId } from './text.ts';
import { User } from './user.ts';

/** A user of the transaction's tenant. Errors: USER_NOT_FOUND. */
export const findUser = async (em: EntityManager, id: string): Promise<User> => {
  const user = isId(id) ? await em.findOne(User, { id }) : null;
  if (!user) throw new AppError('USER_NOT_FOUND');
  return user;
};

/** The same, with its row locked until the transaction ends. Lock a team or the tenant in the order team, user, role, tenant. */
export const lockUser = async (em: EntityManager, id: string): Promise<User> => {
  const user = isId(id) ? await em.findOne(User, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
  if (!user) throw new AppError('USER_NOT_FOUND');
  return user;
};
