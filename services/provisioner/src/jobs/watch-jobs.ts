import { setTimeout as delay } from 'node:timers/promises';
import { transaction } from '@accessops/db';
import type { Call, ServiceParts } from '@accessops/service';
import { type Bell, createBell } from '../bell.ts';
import { findJob } from './find-job.ts';
import { Job } from './job.ts';

/** Lets callers follow jobs. */
export interface JobWatch {
  /** See the RPC WatchJob. */
  follow(call: Call, id: string): AsyncIterable<Job>;
}

const lookEveryMs = 150;
const failureMs = 1000;
const authorizeEveryMs = 500;

const isOver = ({ status }: Job): boolean => status === 'SUCCEEDED' || status === 'FAILED';
/** What there is to tell of a job. */
const stateOf = ({ status, attempts, maxAttempts, lastError, grantId, steps }: Job): string =>
  JSON.stringify([status, attempts, maxAttempts, lastError, grantId, steps]);

interface Followed {
  latest: Job;
  bells: Set<Bell>;
}

/** One look at all followed jobs serves everybody, whichever instance has changed them; without followers there is none. */
export const createJobWatch = ({ orm, log, stopping }: Pick<ServiceParts, 'orm' | 'log' | 'stopping'>): JobWatch => {
  const followed = new Map<string, Followed>();
  let looking: Promise<void> | undefined;

  const tell = (entry: Followed, job: Job) => {
    if (stateOf(entry.latest) === stateOf(job)) return;
    entry.latest = job;
    for (const bell of entry.bells) bell.ring();
  };

  const look = async () => {
    const ids = [...followed.keys()];
    const jobs = await transaction(orm.em, 'all-tenants', (em) => em.find(Job, { id: { $in: ids } }));
    for (const job of jobs) {
      const entry = followed.get(job.id);
      if (entry) tell(entry, job);
    }
  };

  const keepLooking = async () => {
    while (followed.size > 0 && !stopping.aborted) {
      try {
        await look();
        await delay(lookEveryMs);
      } catch (error) {
        log.warn({ err: error }, 'followed jobs could not be looked at');
        await delay(failureMs);
      }
    }
    looking = undefined;
  };

  const enter = (job: Job): { entry: Followed; bell: Bell } => {
    const entry: Followed = followed.get(job.id) ?? { latest: job, bells: new Set() };
    tell(entry, job);
    const bell = createBell();
    entry.bells.add(bell);
    followed.set(job.id, entry);
    looking ??= keepLooking();
    return { entry, bell };
  };

  return {
    follow: async function* (call, id) {
      const { signal } = call;
      let shown = await call.read((ctx) => findJob(ctx, id, 'read'));
      const { tenantId, requesterId } = shown;
      const { entry, bell } = enter(shown);
      signal.addEventListener('abort', bell.ring);
      stopping.addEventListener('abort', bell.ring);
      try {
        yield shown;
        while (!(isOver(shown) || signal.aborted || stopping.aborted)) {
          await bell.wait(authorizeEveryMs);
          await call.authorize('job', 'read', { tenantId, requesterId });
          if (stateOf(entry.latest) === stateOf(shown)) continue;
          shown = entry.latest;
          yield shown;
        }
      } finally {
        signal.removeEventListener('abort', bell.ring);
        stopping.removeEventListener('abort', bell.ring);
        entry.bells.delete(bell);
        if (entry.bells.size === 0) followed.delete(id);
      }
    },
  };
};
