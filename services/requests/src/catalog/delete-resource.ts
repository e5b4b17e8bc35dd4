import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { ResourceChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { AccessRequest } from '../access-request/access-request.ts';
import { inUse } from '../access-request/request-status.ts';
import { isId } from '../text.ts';
import { Resource } from './resource.ts';

/** Takes a resource out of the catalog; its requests stay readable. Errors: RESOURCE_NOT_FOUND, RESOURCE_IN_USE, PRECONDITION_FAILED, PERMISSION_DENIED. */
export const deleteResource = async (ctx: Ctx, id: string): Promise<void> => {
  const { em, tenantId } = ctx;
  await ctx.authorize('resource', 'delete', { tenantId });
  // Whoever files a request holds the resource: after this lock the count stands.
  const resource = isId(id) && (await em.findOne(Resource, { id, deletedAt: null }, { lockMode: LockMode.PESSIMISTIC_WRITE }));
  if (!resource) throw new AppError('RESOURCE_NOT_FOUND');
  ctx.expectVersion(resource.version);
  if ((await em.count(AccessRequest, { tenantId, resourceId: id, status: { $in: [...inUse] } })) > 0) throw new AppError('RESOURCE_IN_USE');
  resource.deletedAt = ctx.now();
  emit(ctx, ResourceChangedSchema, { resourceId: id }, id, {
    action: 'RESOURCE_DELETED',
    entityType: 'RESOURCE',
    entityId: id,
    changes: { key: { before: resource.key, after: null } },
  });
};
