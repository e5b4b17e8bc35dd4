import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { JobCancelledSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { raw } from '@mikro-orm/postgresql';
import { findJob } from './find-job.ts';
import { Job } from './job.ts';
import { jobChange, subjectOf } from './job-events.ts';

/**
 * Gives a QUEUED job no further attempt: a worker takes away at once what earlier ones have left at a target, then it
 * is FAILED. Access that has to end is not cancelled. Errors: JOB_NOT_FOUND, JOB_NOT_QUEUED, PERMISSION_DENIED.
 */
export const cancelJob = async (ctx: Ctx, id: string): Promise<Job> => {
  const job = await findJob(ctx, id, 'cancel');
  const cancelled = await ctx.em.nativeUpdate(
    Job,
    { id, tenantId: ctx.tenantId, kind: { $ne: 'REVOKE' }, status: 'QUEUED', cancelled: false },
    { cancelled: true, dueAt: raw('now()'), origin: ctx.origin },
  );
  if (cancelled === 0) throw new AppError('JOB_NOT_QUEUED');
  const { message, aggregateId } = subjectOf(job);
  emit(ctx, JobCancelledSchema, message, aggregateId, jobChange(id, 'JOB_CANCELLED'));
  return ctx.em.refreshOrFail(job);
};
