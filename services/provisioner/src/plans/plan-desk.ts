import { setTimeout as delay } from 'node:timers/promises';
import { type Connectors, deadlineOf } from '../connector.ts';
import { publicText } from '../jobs/run-attempt.ts';
import { askForPlan } from './make-plan.ts';
import type { ClaimedPlan, PlanStatus } from './planned.ts';

/** A plan as it is shown. */
export interface PlanView {
  status: PlanStatus;
  steps: string[];
  preparedAt: Date | null;
  /** Why it has failed, or has not worked so far. */
  error: string | null;
}

/** What a plan is made of. */
export type Wanted = Omit<ClaimedPlan, 'requestId' | 'attempts'>;

/**
 * Makes plans that somebody wants to read now. Where that asks a target or takes its time, there is one attempt per request, which all who ask meanwhile
 * share, and only so many at a time; whoever finds no place, or no patience, is told PENDING.
 */
export interface PlanDesk {
  ask(requestId: string, wanted: Wanted): Promise<PlanView>;
}

export const nothingYet: PlanView = { status: 'PENDING', steps: [], preparedAt: null, error: null };

const usualMs = 20_000;
// Less than callers wait.
const patienceMs = 4000;
const mostAtATime = 4;
// For those who were told PENDING and ask again.
const keptMs = 15_000;

/** A desk in one process; what it is at ends when `stopping` says so. */
export const createPlanDesk = (connectors: Connectors, stopping: AbortSignal): PlanDesk => {
  const attempts = new Map<string, Promise<PlanView>>();
  let running = 0;

  const make = async (wanted: Wanted): Promise<PlanView> => {
    try {
      const { steps } = await askForPlan(connectors, wanted, deadlineOf(connectors, wanted.target, usualMs), stopping);
      return { status: 'READY', steps, preparedAt: new Date(), error: null };
    } catch (cause) {
      return { status: 'FAILED', steps: [], preparedAt: null, error: publicText(cause) };
    }
  };

  const begin = (requestId: string, wanted: Wanted): Promise<PlanView> => {
    running++;
    const attempt = make(wanted).finally(() => {
      running--;
      setTimeout(() => attempts.delete(requestId), keptMs).unref();
    });
    attempts.set(requestId, attempt);
    return attempt;
  };

  return {
    ask: async (requestId, wanted) => {
      const { connector, config } = wanted.target;
      if (!connectors.get(connector)?.planTakesTime?.(config)) return make(wanted);
      const attempt = attempts.get(requestId) ?? (running < mostAtATime ? begin(requestId, wanted) : undefined);
      return attempt ? Promise.race([attempt, delay(patienceMs, nothingYet, { ref: false })]) : nothingYet;
    },
  };
};
