import { transaction } from '@accessops/db';
import type { Outbox } from '@accessops/events';
import type { Logger } from '@accessops/telemetry';
import type { Connectors } from '../connector.ts';
import { startTimer } from '../timer.ts';
import { type ClaimedRun, claimRuns } from './claim-runs.ts';
import { type LookSettings, lookAtSites } from './look-at-sites.ts';
import { queueDueRuns } from './queue-runs.ts';
import { Replaced, settleRun } from './settle-run.ts';

export interface ReconcilerSettings extends LookSettings {
  /** How often each resource is looked at. */
  everyMs: number;
  /** How often runs are looked for. */
  pollMs: number;
  /** Runs that one process works on at a time. */
  concurrency: number;
}

/** All but how often, which operators decide. */
export const reconcilerDefaults: Omit<ReconcilerSettings, 'everyMs'> = { deadlineMs: 10_000, pauseMs: 2000, pollMs: 1000, concurrency: 8 };

export interface ReconcilerOptions {
  outbox: Outbox;
  connectors: Connectors;
  log: Logger;
  now: () => Date;
  settings: ReconcilerSettings;
}

/**
 * Compares targets with grants, at intervals and when somebody asks for it. A run belongs to one process at a time; a target that is down fails
 * its run, and is asked again when it is time.
 */
export const startReconciler = ({ outbox, connectors, log, now, settings }: ReconcilerOptions): { close(): Promise<void> } => {
  const { em } = outbox.orm;
  const { everyMs, pollMs, concurrency } = settings;
  const going = new AbortController();

  const work = async (run: ClaimedRun): Promise<void> => {
    const { id, tenantId, resourceId } = run;
    try {
      const look = await lookAtSites({ em, connectors, log, settings, signal: going.signal }, run);
      await settleRun(outbox, run, look, now);
      const { missing, surplus, foreign, errors } = look;
      const counts = { missing: missing.length, surplus: surplus.length, foreign: foreign.length, errors: errors.length };
      log.info({ reconciliation: id, tenant: tenantId, resource_id: resourceId, ...counts }, 'target compared with grants');
    } catch (error) {
      // Left to whoever takes it next: another process has it, or will when its time is up.
      if (error instanceof Replaced || going.signal.aborted) return;
      log.error({ err: error, reconciliation: id, tenant: tenantId, resource_id: resourceId }, 'target could not be compared with grants');
    }
  };

  const timer = startTimer({
    round: async () => {
      const runs = await transaction(em, 'all-tenants', async (inner) => {
        await queueDueRuns(inner, everyMs);
        return claimRuns(inner, concurrency);
      });
      await Promise.all(runs.map(work));
      return runs.length === concurrency;
    },
    everyMs: pollMs,
    log,
    complaint: 'targets could not be looked at',
  });

  return {
    close: async () => {
      going.abort();
      await timer.close();
    },
  };
};
