import { asService, type Background, emitProgress } from '../jobs/job-events.ts';
import type { SettlementOf } from '../jobs/settle-jobs.ts';

/** Marks tasks that have been done as SUCCEEDED, with what follows from each. Of a worker that has been replaced nothing follows. */
export const concludeTasks = async (background: Background, settlements: SettlementOf<'done'>[]): Promise<void> => {
  for (const { job, outcome } of settlements) {
    const done = await background.em.execute<unknown[]>(
      `update job set status = 'SUCCEEDED', finished_at = ? where id = ? and attempts = ? and status = 'RUNNING' returning 1`,
      [background.now(), job.id, job.attempts],
    );
    if (done.length === 0) continue;
    await outcome.conclude(asService(background, job));
    emitProgress(background, job, 'SUCCEEDED', 'JOB_SUCCEEDED', { status: { before: 'RUNNING', after: 'SUCCEEDED' } });
  }
};
