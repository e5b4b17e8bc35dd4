import { type ListDefinition, listPage, type Page } from '@accessops/db';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Ctx } from '@accessops/service';
import { Grant } from './grant.ts';

const grants: ListDefinition<Grant> = {
  entity: Grant,
  fields: {
    id: { type: 'uuid' },
    requestId: { type: 'uuid' },
    holderId: { type: 'uuid' },
    resourceId: { type: 'uuid' },
    role: { type: 'text' },
    status: { type: 'text' },
    activatedAt: { type: 'time' },
    expiresAt: { type: 'time' },
    endedAt: { type: 'time' },
  },
  defaultSort: '-activatedAt',
};

/** Grants of the tenant. Errors: PERMISSION_DENIED, INVALID_FILTER, INVALID_CURSOR. */
export const listGrants = async (ctx: Ctx, query: ListQuery | undefined): Promise<Page<Grant>> => {
  await ctx.authorize('grant', 'list_all', { tenantId: ctx.tenantId });
  // Row-level security says the same; said here as well, the planner can use the tenant's indexes.
  return listPage(ctx.em, grants, query, { tenantId: ctx.tenantId });
};

/** Grants that the caller holds or held. Errors: PERMISSION_DENIED, INVALID_FILTER, INVALID_CURSOR. */
export const listMyGrants = async (ctx: Ctx, query: ListQuery | undefined): Promise<Page<Grant>> => {
  await ctx.authorize('grant', 'list_own', { tenantId: ctx.tenantId });
  return listPage(ctx.em, grants, query, { tenantId: ctx.tenantId, holderId: ctx.principal.id });
};
