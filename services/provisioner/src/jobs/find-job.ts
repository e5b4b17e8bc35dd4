import { AppError } from '@accessops/errors';
import type { Ctx } from '@accessops/service';
import { validate } from 'uuid';
import { Job } from './job.ts';

/** A job of the caller's tenant, if the caller may do this with it. Errors: JOB_NOT_FOUND, PERMISSION_DENIED. */
export const findJob = async (ctx: Ctx, id: string, action: 'read' | 'retry' | 'cancel'): Promise<Job> => {
  const job = validate(id) ? await ctx.em.findOne(Job, { id, tenantId: ctx.tenantId }) : null;
  if (!job) throw new AppError('JOB_NOT_FOUND');
  await ctx.authorize('job', action, { tenantId: job.tenantId, requesterId: job.requesterId });
  return job;
};
