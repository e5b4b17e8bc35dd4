import { type ListDefinition, listPage, type Page } from '@accessops/db';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Ctx } from '@accessops/service';
import { AccessRequest } from './access-request.ts';

const definition: ListDefinition<AccessRequest> = {
  entity: AccessRequest,
  fields: {
    id: { type: 'uuid' },
    status: { type: 'text' },
    requesterId: { type: 'uuid' },
    resourceId: { type: 'uuid' },
    role: { type: 'text' },
    extendsRequestId: { type: 'uuid' },
    jobId: { type: 'uuid' },
    grantId: { type: 'uuid' },
    createdAt: { type: 'time' },
    updatedAt: { type: 'time' },
  },
  defaultSort: '-createdAt',
};

/** A page of the tenant's requests, for admin and auditor. Errors: INVALID_FILTER, INVALID_CURSOR, PERMISSION_DENIED. */
export const listRequests = async (ctx: Ctx, query: ListQuery | undefined): Promise<Page<AccessRequest>> => {
  const { em, tenantId } = ctx;
  await ctx.authorize('access_request', 'list_all', { tenantId });
  return listPage(em, definition, query, { tenantId });
};

/** A page of the caller's requests. Errors: INVALID_FILTER, INVALID_CURSOR, PERMISSION_DENIED. */
export const listMyRequests = async (ctx: Ctx, query: ListQuery | undefined): Promise<Page<AccessRequest>> => {
  const { em, tenantId, principal } = ctx;
  await ctx.authorize('access_request', 'list_own', { tenantId });
  return listPage(em, definition, query, { tenantId, requesterId: principal.id });
};
