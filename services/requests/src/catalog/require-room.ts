import { AppError } from '@accessops/errors';
import { limitsOf } from '@accessops/license';
import type { Ctx } from '@accessops/service';
import { Resource } from './resource.ts';

/**
 * Makes sure that the tenant may have one more resource. The tier is the principal's, which the gateway gets anew as soon as identity tells
 * that the license has changed. Of many who create at once each waits for the one before and then counts what it made.
 * Errors: LICENSE_LIMIT_REACHED.
 */
export const requireRoomForResource = async ({ em, tenantId, principal: { licenseTier } }: Ctx): Promise<void> => {
  const { resources } = limitsOf(licenseTier);
  if (resources === null) return;
  await em.execute(`select pg_advisory_xact_lock(hashtextextended('resources of ' || ?, 0))`, [tenantId]);
  if ((await em.count(Resource, { tenantId, deletedAt: null })) < resources) return;
  throw new AppError('LICENSE_LIMIT_REACHED', `The license allows ${resources} resources`);
};
