import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { JobRetriedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { raw } from '@mikro-orm/postgresql';
import { findJob } from './find-job.ts';
import { attemptBudget, Job } from './job.ts';
import { jobChange, subjectOf } from './job-events.ts';
import { stopClearing } from './stop-changes.ts';

/**
 * Queues a FAILED job again, with as many attempts as a new one has. Attempts are counted on: they are also what tells workers
 * apart. What follows is because of this call. A new credential is for its holder to ask for again. Errors: JOB_NOT_FOUND, JOB_NOT_FAILED, PERMISSION_DENIED.
 */
export const retryJob = async (ctx: Ctx, id: string): Promise<Job> => {
  const job = await findJob(ctx, id, 'retry');
  if (job.kind === 'REAPPLY')
    throw new AppError('JOB_NOT_FAILED', 'Have the resource reconciled instead: its access may not be missing any more.');
  if (job.kind === 'ROTATE') throw new AppError('JOB_NOT_FAILED', 'Its holder has the credential issued anew instead.');
  if (job.kind === 'REVOKE' && !job.grantId)
    throw new AppError('JOB_NOT_FAILED', 'Have the resource reconciled instead: there may be nothing left to take away.');
  const queued = await ctx.em.nativeUpdate(
    Job,
    { id, tenantId: ctx.tenantId, status: 'FAILED' },
    {
      status: 'QUEUED',
      maxAttempts: raw('attempts + ?', [attemptBudget]),
      dueAt: raw('now()'),
      finishedAt: null,
      cancelled: false,
      waitingSince: null,
      origin: ctx.origin,
    },
  );
  if (queued === 0) throw new AppError('JOB_NOT_FAILED');
  if (job.kind === 'PROVISION') {
    const busyUntil = await stopClearing(ctx, job);
    if (busyUntil) await ctx.em.nativeUpdate(Job, { id, tenantId: ctx.tenantId }, { dueAt: busyUntil });
  }
  const { message, aggregateId } = subjectOf(job);
  emit(ctx, JobRetriedSchema, message, aggregateId, jobChange(id, 'JOB_RETRIED', { status: { before: 'FAILED', after: 'QUEUED' } }));
  return ctx.em.refreshOrFail(job);
};
