import { createDurations, type Registry, stopwatch } from '@accessops/telemetry';
import type { ClaimedJob, ClaimedTask } from './job.ts';
import type { Settlement } from './settle-jobs.ts';

/** Is told that an attempt at a job begins; answers what is to be told what has come of it. */
export type WatchAttempts = (job: ClaimedJob | ClaimedTask) => (outcome: Settlement['outcome']['kind']) => void;

/** Measures attempts at jobs, most of which targets take. */
export const attemptMetrics = (registry: Registry): WatchAttempts => {
  const observe = createDurations({
    name: 'accessops_job_attempt_duration_seconds',
    help: 'How long attempts at jobs took, by the kind of the job and what has come of them.',
    labelNames: ['kind', 'outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120],
    registry,
  });
  return ({ kind, origin }) => {
    const ended = stopwatch(observe);
    return (outcome) => ended({ kind, outcome }, origin.traceparent);
  };
};
