import { type ListDefinition, listPage, type Page } from '@accessops/db';
import type { ListQuery } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Ctx } from '@accessops/service';
import { Job } from './job.ts';

const jobs: ListDefinition<Job> = {
  entity: Job,
  fields: {
    id: { type: 'uuid' },
    requestId: { type: 'uuid' },
    grantId: { type: 'uuid' },
    kind: { type: 'text' },
    queue: { type: 'text' },
    status: { type: 'text' },
    createdAt: { type: 'time' },
    startedAt: { type: 'time' },
    finishedAt: { type: 'time' },
  },
  defaultSort: '-createdAt',
};

/** Jobs of the tenant. Errors: PERMISSION_DENIED, INVALID_FILTER, INVALID_CURSOR. */
export const listJobs = async (ctx: Ctx, query: ListQuery | undefined): Promise<Page<Job>> => {
  await ctx.authorize('job', 'list_all', { tenantId: ctx.tenantId });
  // Row-level security says the same; said here as well, the planner can use the tenant's indexes.
  return listPage(ctx.em, jobs, query, { tenantId: ctx.tenantId });
};
