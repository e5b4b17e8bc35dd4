import type { WriteContext } from '@accessops/events';
import type { ClaimedTask, TaskKind } from '../jobs/job.ts';

/** What is changed when a task has been done, and told: in the transaction that marks its job as SUCCEEDED. */
export type Conclude = (ctx: WriteContext) => Promise<void>;

/** How one kind of job is done that is about no access. */
export interface Task {
  /** How long an attempt may take. */
  deadlineMs: number;
  /**
   * Does it, outside of any transaction and possibly not for the first time: a worker may have been lost on the way. An AppError tells
   * people why not; when it is about something that is down, another attempt is made.
   */
  run(job: ClaimedTask, signal: AbortSignal): Promise<Conclude>;
}

export type Tasks = Readonly<Record<TaskKind, Task>>;
