import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { ResourceChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { lapseRequests } from '../access-request/lapse-requests.ts';
import { isId } from '../text.ts';
import { Resource } from './resource.ts';

/**
 * Takes a resource out of the catalog; its requests stay readable. Those that wait for a decision are LAPSED; access that there is, or
 * that is being given, ends by what the event tells provisioning. Errors: RESOURCE_NOT_FOUND, PRECONDITION_FAILED, PERMISSION_DENIED.
 */
export const deleteResource = async (ctx: Ctx, id: string): Promise<void> => {
  const { em, tenantId } = ctx;
  await ctx.authorize('resource', 'delete', { tenantId });
  // Whoever files a request holds the resource: after this lock there is none that is not seen.
  const resource = isId(id) && (await em.findOne(Resource, { id, deletedAt: null }, { lockMode: LockMode.PESSIMISTIC_WRITE }));
  if (!resource) throw new AppError('RESOURCE_NOT_FOUND');
  ctx.expectVersion(resource.version);
  resource.deletedAt = ctx.now();
  emit(ctx, ResourceChangedSchema, { resourceId: id }, id, {
    action: 'RESOURCE_DELETED',
    entityType: 'RESOURCE',
    entityId: id,
    changes: { key: { before: resource.key, after: null } },
  });
  await lapseRequests(ctx, 'resource', id);
};
