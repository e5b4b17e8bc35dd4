import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { Tenant } from './tenant.ts';
import { User } from './user.ts';

/**
 * Makes sure that the tenant has another active admin before `user` stops being one. The tenant's row is locked first: of two admins who
 * demote each other at the same moment, the second waits and then counts without the first's victim. Errors: LAST_ADMIN.
 */
export const keepAnAdmin = async ({ em, tenantId }: Ctx, user: User): Promise<void> => {
  await em.findOneOrFail(Tenant, tenantId, { lockMode: LockMode.PESSIMISTIC_WRITE });
  const others = await em.count(User, { tenantId, id: { $ne: user.id }, active: true, orgRoles: { $contains: ['admin'] } });
  if (others === 0) throw new AppError('LAST_ADMIN');
};
