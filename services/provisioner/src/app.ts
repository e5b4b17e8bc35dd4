import { createFileStore } from '@accessops/files';
import { ProvisionerService } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { type RunningService, type ServiceOverrides, type ServiceParts, startService } from '@accessops/service';
import type { ProvisionerConfig } from './config.ts';
import type { Connector, Connectors } from './connector.ts';
import { createConnectors } from './connectors/create-connectors.ts';
import { createSimulatedConnector } from './connectors/simulated.ts';
import type { KeyWrapper } from './credentials/key-wrapper.ts';
import { createLocalKeys } from './credentials/local-keys.ts';
import { rewrapCredentials } from './credentials/rewrap-credentials.ts';
import { createVault } from './credentials/vault.ts';
import { expireGrants } from './grants/expire-grants.ts';
import { Grant } from './grants/grant.ts';
import { attemptMetrics } from './jobs/attempt-metrics.ts';
import { Job } from './jobs/job.ts';
import { createJobWatch } from './jobs/watch-jobs.ts';
import { startWorker, type WorkerSettings, workerDefaults } from './jobs/worker.ts';
import { provisionerMetrics } from './metrics.ts';
import { onRequestWithdrawn } from './on-request-withdrawn.ts';
import { onRequests } from './on-requests.ts';
import { onResourceChanged } from './on-resource-changed.ts';
import { onServiceAccountDeleted } from './on-service-account-deleted.ts';
import { onTenantCreated } from './on-tenant-created.ts';
import { onTenantUpdated } from './on-tenant-updated.ts';
import { onUserCreated } from './on-user-created.ts';
import { onUserUpdated } from './on-user-updated.ts';
import { createPlanDesk } from './plans/plan-desk.ts';
import { startPlanner } from './plans/planner.ts';
import { type ReconcilerSettings, reconcilerDefaults, startReconciler } from './reconcile/reconciler.ts';
import { Reconciliation } from './reconcile/reconciliation.ts';
import { createReportTask } from './reports/make-report.ts';
import { removeReports } from './reports/remove-reports.ts';
import { Report } from './reports/report.ts';
import { provisionerHandlers } from './rpc.ts';
import { connectNeighbours } from './tasks/neighbours.ts';
import { createTenantDefaultsTask } from './tasks/tenant-defaults.ts';
import { createWelcomeMailTask } from './tasks/welcome-mail.ts';
import { startTimer } from './timer.ts';

export interface ProvisionerOverrides extends ServiceOverrides {
  worker?: Partial<WorkerSettings>;
  /** Puts something in front of the simulated target. */
  simulated?: (target: Connector) => Connector;
  /** Whoever has the keys of credentials, instead of this process. */
  keys?: KeyWrapper;
  /** Pause between two looks for credentials under former keys. */
  rewrapMs?: number;
  reconciler?: Partial<ReconcilerSettings>;
  /** Pause between two looks for reports whose time is over. */
  removalMs?: number;
}

const expiryCheckMs = 250;
// While instances are replaced, an old one may still seal under the former key.
const rewrapCheckMs = 10 * 60_000;
const removalCheckMs = 60_000;

/** Starts the provisioner: jobs, grants, credentials, and whatever reaches out to a target. */
export const startProvisioner = async (config: ProvisionerConfig, overrides: ProvisionerOverrides = {}): Promise<RunningService> => {
  const vault = createVault(overrides.keys ?? createLocalKeys(config.credentialKeys));
  const hands = createConnectors(config.logins);
  const store = await createFileStore(config.files);
  const neighbours = await connectNeighbours(config);
  const { simulated = (target) => target } = overrides;
  const connectorsOf = ({ pool }: ServiceParts): Connectors =>
    new Map([...hands, ['simulated', simulated(createSimulatedConnector(pool))]]);

  const background = (parts: ServiceParts) => {
    const { outbox, log, now, registry, tracer } = parts;
    if (registry) provisionerMetrics(parts, registry);
    const connectors = connectorsOf(parts);
    // The worker's own commits leave no job for it: only those of consumers, calls and the timer wake it.
    const own = { ...outbox };
    const tasks = {
      REPORT: createReportTask(parts, store),
      WELCOME_MAIL: createWelcomeMailTask(neighbours),
      TENANT_DEFAULTS: createTenantDefaultsTask(neighbours),
    };
    const worker = startWorker({
      outbox: own,
      connectors,
      tasks,
      vault,
      log,
      now,
      settings: { ...workerDefaults, ...overrides.worker },
      watch: registry && attemptMetrics(registry),
      tracer,
    });
    const planner = startPlanner({ outbox: own, connectors, vault, log, now });
    outbox.wake = () => {
      own.wake();
      worker.wake();
      planner.wake();
    };
    const expiry = startTimer({
      // It looks instead of setting a timer per grant: one index lookup, and nothing to forget while nothing runs.
      round: () => expireGrants(outbox, now).then(() => false),
      everyMs: expiryCheckMs,
      log,
      complaint: 'expired grants could not be looked for',
    });
    const rewrapping = startTimer({
      round: () => rewrapCredentials(parts, vault),
      everyMs: overrides.rewrapMs ?? rewrapCheckMs,
      log,
      complaint: 'credentials could not be moved to the current key',
    });
    const reconciler = startReconciler({
      outbox,
      connectors,
      log,
      now,
      settings: { ...reconcilerDefaults, everyMs: config.reconcileEveryMs, ...overrides.reconciler },
    });
    const removal = startTimer({
      round: () => removeReports(parts, store),
      everyMs: overrides.removalMs ?? removalCheckMs,
      log,
      complaint: 'reports whose time is over could not be removed',
    });
    return {
      close: async () => {
        await Promise.all([expiry.close(), rewrapping.close(), removal.close(), planner.close(), reconciler.close()]);
        await worker.close();
        store.close();
        neighbours.close();
        for (const connector of hands.values()) await connector.close?.();
      },
    };
  };

  return startService(
    {
      name: 'provisioner',
      service: ProvisionerService,
      entities: [Job, Grant, Reconciliation, Report],
      handlers: (parts) => {
        const connectors = connectorsOf(parts);
        const desk = createPlanDesk(connectors, parts.stopping);
        return provisionerHandlers({ vault, connectors, desk, watch: createJobWatch(parts), store });
      },
      subscriptions: (parts) => [
        ...onRequests({ connectors: connectorsOf(parts), vault, stopping: parts.stopping }),
        onRequestWithdrawn,
        onResourceChanged,
        onTenantCreated,
        onTenantUpdated,
        onUserCreated,
        onUserUpdated,
        onServiceAccountDeleted,
      ],
      background,
    },
    config,
    overrides,
  );
};
