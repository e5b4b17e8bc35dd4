import { type AuditedChange, emit, type WriteContext } from '@accessops/events';
import { RequestApprovedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { Resource } from '../catalog/resource.ts';
import { findRequest } from './find-request.ts';
import { leavePending } from './leave-pending.ts';

/** Approves a request that waits and tells provisioning all it needs; answers false when it no longer waits. */
export const approveRequest = async (ctx: WriteContext, id: string, actor?: AuditedChange['actor']): Promise<boolean> => {
  if (!(await leavePending(ctx, id, 'APPROVED'))) return false;
  const { requesterId, resourceId, role, duration, parameters } = await findRequest(ctx, id);
  const { key, type } = await ctx.em.findOneOrFail(Resource, { id: resourceId }, { populate: ['type'], strategy: 'joined' });
  emit(
    ctx,
    RequestApprovedSchema,
    {
      requestId: id,
      requesterId,
      resourceId,
      resourceKey: key,
      role,
      duration,
      connector: type.connector,
      configJson: type.config,
      parametersJson: parameters,
    },
    id,
    {
      action: 'REQUEST_APPROVED',
      entityType: 'REQUEST',
      entityId: id,
      changes: { status: { before: 'PENDING', after: 'APPROVED' } },
      actor,
    },
  );
  return true;
};
