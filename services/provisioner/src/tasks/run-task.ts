import { AppError } from '@accessops/errors';
import type { Logger } from '@accessops/telemetry';
import { withDeadline } from '../deadline.ts';
import { aboutJob } from '../jobs/about-job.ts';
import { pauseAfterMs } from '../jobs/back-off.ts';
import { attemptOfBudget, type ClaimedTask, isLastAttempt, isSpent } from '../jobs/job.ts';
import type { Conclude, Tasks } from './task.ts';

/** What came of an attempt at a task. */
export type TaskOutcome =
  | { kind: 'done'; conclude: Conclude }
  | { kind: 'retry'; error: string; unsure: false; pauseMs: number }
  | { kind: 'failed'; error: string; unsure: false };

// Nobody waits at the other end: what is down gets half a minute to come back.
const patience = 10;

/** What people may read of a failure. */
export const taskError = (error: unknown): string => {
  if (error instanceof AppError) return error.message.slice(0, 500);
  if (error instanceof Error && error.name === 'TimeoutError') return 'It took too long';
  return 'It failed unexpectedly';
};

const mayWorkLater = (error: unknown): boolean => !(error instanceof AppError) || error.kind === 'unavailable' || error.kind === 'internal';

/** Carries out one attempt at a claimed task; the job itself is not touched. Does not throw. */
export const runTask = async (
  { tasks, log }: { tasks: Tasks; log: Logger },
  job: ClaimedTask,
  signal: AbortSignal,
): Promise<TaskOutcome> => {
  const failed = (error: string): TaskOutcome => ({ kind: 'failed', error, unsure: false });
  if (job.cancelled) return failed('Cancelled by an admin');
  if (isSpent(job)) return failed(job.lastError ?? 'The worker was lost');
  try {
    const { deadlineMs, run } = tasks[job.kind];
    return { kind: 'done', conclude: await withDeadline(deadlineMs, signal, (inTime) => run(job, inTime)) };
  } catch (cause) {
    const error = taskError(cause);
    log.warn({ err: cause, ...aboutJob(job) }, 'attempt failed');
    if (isLastAttempt(job) || !mayWorkLater(cause)) return failed(error);
    return { kind: 'retry', error, unsure: false, pauseMs: patience * pauseAfterMs(attemptOfBudget(job)) };
  }
};
