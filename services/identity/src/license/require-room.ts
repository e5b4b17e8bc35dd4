import { AppError } from '@accessops/errors';
import { limitsOf } from '@accessops/license';
import type { EntityManager } from '@mikro-orm/postgresql';
import { User } from '../user.ts';
import { lockLicense } from './find-license.ts';

/**
 * Makes sure that the tenant may have one more active user. The license is locked first: of many who are added at once, each waits
 * for the one before and then counts it. Errors: LICENSE_LIMIT_REACHED.
 */
export const requireRoomForUser = async (em: EntityManager, tenantId: string): Promise<void> => {
  const { tier } = await lockLicense(em, tenantId);
  const { users } = limitsOf(tier);
  if (users === null || (await em.count(User, { tenantId, active: true })) < users) return;
  throw new AppError('LICENSE_LIMIT_REACHED', `The tier ${tier} allows ${users} active users`);
};
