import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { findById } from '../find-by-id.ts';
import { Role } from './role.ts';

/** A role of the transaction's tenant. Errors: ROLE_NOT_FOUND. */
export const findRole = findById(Role, 'ROLE_NOT_FOUND');

/** The same, with its row locked until the transaction ends. */
export const lockRole = findById(Role, 'ROLE_NOT_FOUND', LockMode.PESSIMISTIC_WRITE);

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
