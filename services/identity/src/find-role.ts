import { AppError } from '@accessops/errors';
import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { Role } from './role.ts';
import { isId } from './text.ts';

/** A role of the transaction's tenant. Errors: ROLE_NOT_FOUND. */
export const findRole = async (em: EntityManager, id: string): Promise<Role> => {
  const role = isId(id) ? await em.findOne(Role, { id }) : null;
  if (!role) throw new AppError('ROLE_NOT_FOUND');
  return role;
};

/** The same, with its row locked until the transaction ends. */
export const lockRole = async (em: EntityManager, id: string): Promise<Role> => {
  const role = isId(id) ? await em.findOne(Role, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
  if (!role) throw new AppError('ROLE_NOT_FOUND');
  return role;
};

/** A custom role that somebody has. */
export interface AssignedRole {
  userId: string;
  id: string;
  name: string;
}

/** The custom roles of these users, by name. */
export const rolesOf = (em: EntityManager, tenantId: string, userIds: string[]): Promise<AssignedRole[]> =>
  userIds.length === 0
    ? Promise.resolve([])
    : em.execute<AssignedRole[]>(
        `select a.user_id as "userId", r.id, r.name from role_assignment a join role r on r.tenant_id = a.tenant_id and r.id = a.role_id
          where a.tenant_id = ? and a.user_id in (${userIds.map(() => '?').join(', ')}) order by r.name`,
        [tenantId, ...userIds],
      );
