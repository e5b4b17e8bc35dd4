import { type Outbox, unitOfWork } from '@accessops/events';
import { activateGrants } from '../grants/activate-grants.ts';
import { concludeGrants, markRevokeFailed } from '../grants/conclude-grants.ts';
import { settleChange } from '../grants/settle-change.ts';
import { concludeTasks } from '../tasks/conclude-tasks.ts';
import type { TaskOutcome } from '../tasks/run-task.ts';
import { type ClaimedJob, type ClaimedTask, isTask } from './job.ts';
import { asService, type Background, emitFailed, emitProgress } from './job-events.ts';
import type { Outcome } from './run-attempt.ts';
import type { Step } from './step.ts';
import { letNextGoOn } from './stop-changes.ts';

/** A job and what came of the attempt at it. */
export type Settlement = { job: ClaimedJob; outcome: Outcome; steps: Step[] } | { job: ClaimedTask; outcome: TaskOutcome; steps: Step[] };

/** A settlement of one certain kind. */
export type SettlementOf<K extends Settlement['outcome']['kind']> =
  | (K extends Outcome['kind'] ? { job: ClaimedJob; outcome: Extract<Outcome, { kind: K }>; steps: Step[] } : never)
  | (K extends TaskOutcome['kind'] ? { job: ClaimedTask; outcome: Extract<TaskOutcome, { kind: K }>; steps: Step[] } : never);

const ofKind = <K extends Settlement['outcome']['kind']>(settlements: Settlement[], kind: K): SettlementOf<K>[] =>
  settlements.filter((settlement) => settlement.outcome.kind === kind) as SettlementOf<K>[];

type Ended = SettlementOf<'retry'> | SettlementOf<'waiting'> | SettlementOf<'failed'>;

/** Ends attempts that came to nothing; answers those whose lease this worker still had. */
const endAttempts = async <S extends Ended>({ em, now }: Background, ended: S[], status: 'QUEUED' | 'FAILED'): Promise<S[]> => {
  if (ended.length === 0) return [];
  const rows = ended.map(({ job, outcome, steps }) => ({
    id: job.id,
    attempts: job.attempts,
    error: outcome.error,
    unsure: outcome.unsure,
    waiting: outcome.kind === 'waiting',
    told: job.answer !== null,
    pause: outcome.kind === 'failed' ? 0 : outcome.pauseMs,
    steps,
  }));
  const done = await em.execute<{ id: string }[]>(
    `update job set status = ?, last_error = ended.error, unsure = ended.unsure, finished_at = ?, steps = ended.steps,
       -- What came while the attempt was still under way is looked at now.
       due_at = case when ended.waiting and not ended.told and exists (select from job_answer where job_id = job.id) then now()
         else now() + ended.pause * interval '1 millisecond' end,
       waiting_since = case when ended.waiting then coalesce(waiting_since, now()) else waiting_since end,
       max_attempts = max_attempts + ended.waiting::integer
     from jsonb_to_recordset(?) as ended (id uuid, attempts integer, error text, unsure boolean, pause integer, waiting boolean, told boolean, steps jsonb)
     where job.id = ended.id and job.attempts = ended.attempts and job.status = 'RUNNING' returning job.id`,
    [status, status === 'FAILED' ? now() : null, JSON.stringify(rows)],
  );
  const ids = new Set(done.map(({ id }) => id));
  return ended.filter(({ job }) => ids.has(job.id));
};

const retryLater = async (background: Background, settlements: SettlementOf<'retry'>[]): Promise<void> => {
  const done = await endAttempts(background, settlements, 'QUEUED');
  for (const { job } of done) {
    emitProgress(background, job, 'QUEUED', 'JOB_RETRY_SCHEDULED', { status: { before: 'RUNNING', after: 'QUEUED' } });
  }
  await markRevokeFailed(
    background,
    done.flatMap(({ job }) => (isTask(job) ? [] : [job])),
    'failed',
  );
};

const waitOn = async (background: Background, settlements: SettlementOf<'waiting'>[]): Promise<void> => {
  const done = await endAttempts(background, settlements, 'QUEUED');
  for (const { job } of done) {
    emitProgress(background, job, 'QUEUED', 'JOB_DEFERRED', { status: { before: 'RUNNING', after: 'QUEUED' } });
  }
  await markRevokeFailed(
    background,
    done.map(({ job }) => job),
    'waiting',
  );
};

const final: readonly Settlement['outcome']['kind'][] = ['provisioned', 'changed', 'revoked', 'failed'];

/** An answer of a target is a secret: it goes as soon as an attempt has made use of it, or nobody waits for it any more. */
const forgetAnswers = async ({ em }: Background, settlements: Settlement[]): Promise<void> => {
  const over = settlements.filter(({ job, outcome }) => job.answer || (job.waitingSince && final.includes(outcome.kind)));
  if (over.length === 0) return;
  await em.execute(
    `delete from job_answer where job_id in (${over.map(() => '?').join(', ')})`,
    over.map(({ job }) => job.id),
  );
};

const fail = async (background: Background, settlements: SettlementOf<'failed'>[]): Promise<void> => {
  for (const { job, outcome } of await endAttempts(background, settlements, 'FAILED')) {
    emitFailed(asService(background, job), job, 'RUNNING', outcome.error);
  }
};

/**
 * Records what came of attempts, many in one transaction: a job, its grant and their events change together or not at all.
 * An outcome of a worker that has been replaced changes nothing.
 */
export const settleJobs = async (outbox: Outbox, settlements: Settlement[], now: () => Date): Promise<void> => {
  // One by one: they hold their grant before their job, as ends of grants do.
  for (const change of ofKind(settlements, 'changed')) {
    await unitOfWork(outbox, 'all-tenants', (em) => settleChange({ em, now }, change));
  }
  await unitOfWork(outbox, 'all-tenants', async (em) => {
    const background = { em, now };
    await activateGrants(background, ofKind(settlements, 'provisioned'));
    await concludeGrants(background, ofKind(settlements, 'revoked'));
    await concludeTasks(background, ofKind(settlements, 'done'));
    await waitOn(background, ofKind(settlements, 'waiting'));
    await retryLater(background, ofKind(settlements, 'retry'));
    await fail(background, ofKind(settlements, 'failed'));
    await forgetAnswers(background, settlements);
    await letNextGoOn(
      background,
      settlements.map(({ job }) => job),
    );
  });
};
