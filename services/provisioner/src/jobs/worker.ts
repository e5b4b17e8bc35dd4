import { setTimeout as delay } from 'node:timers/promises';
import { isDatabaseDown, newId } from '@accessops/db';
import type { Outbox } from '@accessops/events';
import { during, type Logger, type Tracer } from '@accessops/telemetry';
import { createBatcher } from '../batcher.ts';
import { createBell } from '../bell.ts';
import { type Connectors, deadlineOf } from '../connector.ts';
import type { Vault } from '../credentials/vault.ts';
import { withDeadline } from '../deadline.ts';
import { runTask } from '../tasks/run-task.ts';
import type { Tasks } from '../tasks/task.ts';
import { aboutJob } from './about-job.ts';
import type { WatchAttempts } from './attempt-metrics.ts';
import { claimJobs, renewLeases } from './claim-jobs.ts';
import { type ClaimedJob, type ClaimedTask, isTask } from './job.ts';
import { queues, type Room } from './queue.ts';
import { runAttempt, type Within } from './run-attempt.ts';
import { type Settlement, settleJobs } from './settle-jobs.ts';
import { showSteps } from './show-steps.ts';
import { createStepLog, type StepLog } from './step.ts';
import { endAttempt, traceAttempt, traceStep } from './trace-attempt.ts';

export interface WorkerSettings {
  /** Jobs that one process works on at a time, by queue; for a moment up to twice as many, see `claimJobs`. */
  concurrency: Room;
  /** A worker that is silent for so long has died: another takes its jobs. */
  leaseMs: number;
  /** How long one call to a target may take. */
  deadlineMs: number;
  /** How often jobs are looked for that nobody in this process has told of. */
  pollMs: number;
  /** How long a stop waits for running jobs. */
  drainMs: number;
}

export const workerDefaults: WorkerSettings = {
  concurrency: { high: 64, default: 64, low: 8 },
  leaseMs: 10_000,
  deadlineMs: 20_000,
  pollMs: 200,
  drainMs: 8000,
};

export interface WorkerOptions {
  outbox: Outbox;
  connectors: Connectors;
  tasks: Tasks;
  vault: Vault;
  log: Logger;
  now: () => Date;
  settings: WorkerSettings;
  /** Without it nothing is measured. */
  watch?: WatchAttempts;
  tracer: Tracer | undefined;
}

export interface Worker {
  /** There may be a job. */
  wake(): void;
  /** Takes no more jobs and lets the running ones end; those that do not are left to another worker. */
  close(): Promise<void>;
}

// Most steps are over before anybody could look.
const showStepsAfterMs = 100;
// A database that is away is asked, and complained about, once a second.
const failureMs = 1000;

interface Running {
  job: ClaimedJob | ClaimedTask;
  abort: AbortController;
  log: StepLog;
  /** The attempt is over and is being recorded: its lease is not prolonged any more. */
  over: boolean;
  finished: Promise<void>;
}

/** Works on jobs of all tenants: claims several at a time, tries each at its target, and records the outcomes in batches. */
export const startWorker = ({ outbox, connectors, tasks, vault, log, now, settings, watch, tracer }: WorkerOptions): Worker => {
  const { concurrency, leaseMs, deadlineMs, pollMs, drainMs } = settings;
  const worker = newId();
  const bell = createBell();
  const running = new Map<string, Running>();
  let closing = false;
  let gone = false;

  const roomLeft = (): Room => {
    const room = { ...concurrency };
    for (const { job } of running.values()) room[job.queue] = Math.max(room[job.queue] - 1, 0);
    return room;
  };

  /** Until it is recorded or the database says why not: an outcome that is lost costs another attempt at the target. */
  const settleAll = async (settlements: Settlement[]): Promise<void> => {
    for (;;) {
      try {
        return await settleJobs(outbox, settlements, now);
      } catch (error) {
        if (gone) return;
        if (isDatabaseDown(error)) {
          await delay(200);
          continue;
        }
        const [first, ...others] = settlements;
        if (!first || others.length === 0) {
          // Its lease runs out and another attempt is made.
          log.error({ err: error, ...(first && aboutJob(first.job)) }, 'outcome of a job could not be recorded');
          return;
        }
        for (const settlement of settlements) await settleAll([settlement]);
        return;
      }
    }
  };
  const settler = createBatcher(settleAll, 100);

  const attempt = async ({ job, abort, log: steps }: Running) => {
    if (isTask(job)) return { job, outcome: await runTask({ tasks, log }, job, abort.signal) };
    const ownMs = deadlineOf(connectors, job.spec, deadlineMs);
    const within: Within = (step, call) =>
      steps.run(step, () => during(traceStep(tracer, job, step), () => withDeadline(ownMs, abort.signal, call)));
    return { job, outcome: await runAttempt({ connectors, vault, log, now }, job, within) };
  };

  const run = async (entry: Running): Promise<void> => {
    const { job } = entry;
    const ended = watch?.(job);
    const span = traceAttempt(tracer, job);
    const settlement = { ...(await attempt(entry)), steps: entry.log.steps() };
    ended?.(settlement.outcome.kind);
    entry.over = true;
    // Replaced or told to go: whoever has the job now decides on it.
    if (!entry.abort.signal.aborted) await settler.add(settlement);
    if (span) endAttempt(span, settlement.outcome.kind);
    log.info({ ...aboutJob(job), outcome: settlement.outcome.kind }, 'job');
    // Its next attempt may have begun here meanwhile.
    if (running.get(job.id) === entry) running.delete(job.id);
    // Not at every single end: jobs are claimed in handfuls. The poll sees to a few free places among slow jobs. Of the few
    // places at a target each one counts.
    const { [job.queue]: free } = roomLeft();
    if (running.size === 0 || job.target !== null || free >= concurrency[job.queue] / 4) bell.ring();
  };

  const start = (job: ClaimedJob | ClaimedTask) => {
    const log = createStepLog(job.steps, job.attempts, now);
    const entry: Running = { job, abort: new AbortController(), log, over: false, finished: Promise.resolve() };
    running.set(job.id, entry);
    entry.finished = run(entry);
  };

  const claim = async (): Promise<void> => {
    while (!closing) {
      const room = roomLeft();
      if (queues.every((queue) => room[queue] === 0)) return;
      const jobs = await claimJobs(outbox, { worker, room, leaseMs, now });
      for (const job of jobs) start(job);
      const filled = queues.some((queue) => room[queue] > 0 && jobs.filter((job) => job.queue === queue).length === room[queue]);
      if (!filled) return;
    }
  };

  const loop = async () => {
    while (!closing) {
      try {
        await claim();
        await bell.wait(pollMs);
      } catch (error) {
        log.warn({ err: error }, 'jobs could not be claimed');
        await bell.wait(failureMs);
      }
    }
  };

  const keepLeases = async () => {
    const held = [...running.values()].filter(({ over }) => !over);
    if (held.length === 0) return;
    const kept = await renewLeases(
      outbox,
      held.map(({ job }) => ({ id: job.id, attempts: job.attempts })),
      leaseMs,
    );
    for (const { job, abort } of held) if (!kept.has(job.id)) abort.abort();
  };
  let beat = Promise.resolve();
  const heartbeat = setInterval(() => {
    beat = keepLeases().catch((error: unknown) => log.warn({ err: error }, 'leases could not be prolonged'));
  }, leaseMs / 3);

  let showing: Promise<void> | undefined;
  const show = setInterval(() => {
    if (showing) return;
    const unseen = [...running.values()].filter(({ over, log: steps }) => !over && steps.hasUnseen(showStepsAfterMs));
    if (unseen.length === 0) return;
    showing = showSteps(
      outbox,
      unseen.map(({ job: { id, attempts }, log: steps }) => ({ id, attempts, steps: steps.steps() })),
    )
      .catch((error: unknown) => log.warn({ err: error }, 'steps could not be shown'))
      .finally(() => {
        showing = undefined;
      });
  }, showStepsAfterMs);

  const looping = loop();

  return {
    wake: bell.ring,
    close: async () => {
      closing = true;
      bell.ring();
      await looping;
      const until = Date.now() + drainMs;
      while (running.size > 0 && Date.now() < until) await bell.wait(50);
      gone = true;
      clearInterval(heartbeat);
      clearInterval(show);
      if (running.size > 0) log.warn({ jobs: running.size }, 'jobs are left to another worker');
      const left = [...running.values()];
      for (const { abort } of left) abort.abort();
      await Promise.all([beat, showing, ...left.map(({ finished }) => finished)]);
    },
  };
};
