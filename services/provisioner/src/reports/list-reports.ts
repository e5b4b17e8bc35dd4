import { type ListDefinition, listPage, type Page } from '@accessops/db';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Ctx } from '@accessops/service';
import { Report } from './report.ts';

const reports: ListDefinition<Report> = {
  entity: Report,
  fields: {
    id: { type: 'uuid' },
    jobId: { type: 'uuid' },
    kind: { type: 'text' },
    format: { type: 'text' },
    from: { type: 'time', path: 'since' },
    to: { type: 'time', path: 'until' },
    status: { type: 'text' },
    requestedBy: { type: 'uuid' },
    createdAt: { type: 'time' },
    finishedAt: { type: 'time' },
    expiresAt: { type: 'time' },
  },
  defaultSort: '-createdAt',
};

/** Reports of the tenant. Errors: PERMISSION_DENIED, INVALID_FILTER, INVALID_CURSOR. */
export const listReports = async (ctx: Ctx, query: ListQuery | undefined): Promise<Page<Report>> => {
  await ctx.authorize('report', 'list', { tenantId: ctx.tenantId });
  return listPage(ctx.em, reports, query, { tenantId: ctx.tenantId });
};
