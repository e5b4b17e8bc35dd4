import { noTenant } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { parseReason } from '@accessops/names';
import { SupportReadSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { RecordSupportReadRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { Tenant } from './tenant.ts';
import { isId } from './text.ts';

/**
 * Tells that platform support is about to read, so that the log has it before the answer is given. A tenant finds in its own log
 * who has looked at it and why; what concerns several, or a tenant that is not there, stands in the platform's. Needs a transaction
 * across tenants. Errors: ACCESS_REASON_REQUIRED.
 */
export const recordSupportRead = async (ctx: Ctx, request: RecordSupportReadRequest): Promise<void> => {
  const { tenantId, entityType, entityId, route, filters } = request;
  const reason = parseReason(request.reason);
  if (reason === undefined) throw new AppError('ACCESS_REASON_REQUIRED');
  const tenant = isId(tenantId) ? await ctx.em.findOne(Tenant, { id: tenantId }) : null;
  emit({ ...ctx, tenantId: tenant?.id ?? noTenant }, SupportReadSchema, {}, `support ${ctx.actor.id}`, {
    action: 'SUPPORT_READ',
    entityType,
    entityId,
    changes: { reason: { after: reason }, route: { after: route }, ...(filters.length > 0 ? { filters: { after: filters } } : {}) },
  });
};
