import { setTimeout as delay } from 'node:timers/promises';
import type { Outbox } from '@accessops/events';
import type { Logger } from '@accessops/telemetry';
import { createBatcher } from '../batcher.ts';
import { createBell } from '../bell.ts';
import type { Connectors } from '../connector.ts';
import type { Vault } from '../credentials/vault.ts';
import { claimPlans } from './claim-plans.ts';
import { makePlan } from './make-plan.ts';
import type { ClaimedPlan } from './planned.ts';
import { type Made, recordPlans } from './record-plans.ts';

export interface PlannerOptions {
  outbox: Outbox;
  connectors: Connectors;
  vault: Vault;
  log: Logger;
  now: () => Date;
}

export interface Planner {
  /** There may be a plan to make. */
  wake(): void;
  close(): Promise<void>;
}

const concurrency = 16;
const pollMs = 2000;
// Plans are for people: a moment is nothing to them, and many are made at once.
const gatherMs = 200;

/** Makes plans of all tenants, a few at a time: a target that hangs holds up nothing but its own. */
export const startPlanner = ({ outbox, connectors, vault, log, now }: PlannerOptions): Planner => {
  const bell = createBell();
  const abort = new AbortController();
  const running = new Set<Promise<void>>();

  const recorder = createBatcher(async (made: Made[]) => {
    // Their leases run out, and they are made again.
    await recordPlans(outbox, made, now).catch((error: unknown) => log.warn({ err: error }, 'plans could not be recorded'));
  }, 100);

  const start = (claimed: ClaimedPlan) => {
    const run = async () => {
      const planning = await makePlan(connectors, vault, claimed, abort.signal);
      if (planning.status !== 'READY')
        log.info(
          { tenant: claimed.tenantId, access_request_id: claimed.requestId, attempt: claimed.attempts, error: planning.error },
          'no plan yet',
        );
      if (!abort.signal.aborted) await recorder.add({ claimed, planning });
    };
    const finished = run().finally(() => {
      running.delete(finished);
      bell.ring();
    });
    running.add(finished);
  };

  const loop = async () => {
    while (!abort.signal.aborted) {
      try {
        if (running.size < concurrency) for (const claimed of await claimPlans(outbox, concurrency - running.size)) start(claimed);
      } catch (error) {
        log.warn({ err: error }, 'plans could not be looked for');
      }
      await bell.wait(pollMs);
      await delay(gatherMs, undefined, { signal: abort.signal }).catch(() => undefined);
    }
  };
  const looping = loop();

  return {
    wake: bell.ring,
    close: async () => {
      abort.abort();
      bell.ring();
      await looping;
      await Promise.all(running);
    },
  };
};
