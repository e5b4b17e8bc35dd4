import { type AuditedChange, emit, type WriteContext } from '@accessops/events';
import { Resource } from '../catalog/resource.ts';
import { approval } from './approval.ts';
import { findRequest } from './find-request.ts';
import { leavePending } from './leave-pending.ts';

/** Approves a request that waits and tells provisioning all it needs; answers false when it no longer waits. */
export const approveRequest = async (ctx: WriteContext, id: string, actor?: AuditedChange['actor']): Promise<boolean> => {
  if (!(await leavePending(ctx, id, 'APPROVED'))) return false;
  const request = await findRequest(ctx, id);
  const { key, type } = await ctx.em.findOneOrFail(Resource, { id: request.resourceId }, { populate: ['type'], strategy: 'joined' });
  emit(ctx, ...approval(request, { resourceKey: key, connector: type.connector, config: type.config }, actor));
  return true;
};
