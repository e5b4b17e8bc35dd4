import { AppError, type Code } from '@accessops/errors';
import type { EntityClass, EntityManager, FilterQuery, LockMode } from '@mikro-orm/postgresql';
import { isId } from './text.ts';

/** How to find one of these by its id, among what the transaction may see; with a lock mode, locked until the transaction ends. */
export const findById =
  <E extends object>(Entity: EntityClass<E>, missing: Code, lockMode?: LockMode) =>
  async (em: EntityManager, id: string): Promise<E> => {
    const found = isId(id) ? await em.findOne(Entity, id as FilterQuery<NoInfer<E>>, lockMode === undefined ? {} : { lockMode }) : null;
    if (!found) throw new AppError(missing);
    return found;
  };
