import { ProvisionerService } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { type RunningService, type ServiceOverrides, type ServiceParts, startService } from '@accessops/service';
import type { ProvisionerConfig } from './config.ts';
import type { Connectors } from './connector.ts';
import { createConnectors } from './connectors/create-connectors.ts';
import { createSimulatedConnector } from './connectors/simulated.ts';
import { createVault } from './credentials/vault.ts';
import { startExpiryTimer } from './grants/expiry-timer.ts';
import { Grant } from './grants/grant.ts';
import { Job } from './jobs/job.ts';
import { startWorker, type WorkerSettings, workerDefaults } from './jobs/worker.ts';
import { onRequestApproved } from './on-request-approved.ts';
import { onRequestWithdrawn } from './on-request-withdrawn.ts';

import { onServiceAccountDeleted } from './on-service-account-deleted.ts';

import { onTenantCreated } from './on-tenant-created.ts';

import { onUserUpdated } from './on-user-updated.ts';
import { provisionerHandlers } from './rpc.ts';

export interface ProvisionerOverrides extends ServiceOverrides {
  worker?: Partial<WorkerSettings>;
}

const expiryCheckMs = 250;

/** Starts the provisioner: jobs, grants, credentials, and whatever reaches out to a target. */
export const startProvisioner = (config: ProvisionerConfig, overrides: ProvisionerOverrides = {}): Promise<RunningService> => {
  const vault = createVault(config.credentialKeys);
  const hands = createConnectors(config.logins);
  const connectorsOf = ({ pool }: ServiceParts): Connectors => new Map([...hands, ['simulated', createSimulatedConnector(pool)]]);

  const background = (parts: ServiceParts) => {
    const { outbox, log, now } = parts;
    const connectors = connectorsOf(parts);
    // The worker's own commits leave no job for it: only those of consumers, calls and the timer wake it.
    const own = { ...outbox };
    const worker = startWorker({ outbox: own, connectors, vault, log, now, settings: { ...workerDefaults, ...overrides.worker } });
    outbox.wake = () => {
      own.wake();
      worker.wake();
    };
    const expiry = startExpiryTimer({ outbox, log, now, everyMs: expiryCheckMs });
    return {
      close: async () => {
        await expiry.close();
        await worker.close();
        for (const connector of hands.values()) await connector.close?.();
      },
    };
  };

  return startService(
    {
      name: 'provisioner',
      service: ProvisionerService,
      entities: [Job, Grant],
      handlers: (parts) => provisionerHandlers(vault, connectorsOf(parts)),
      subscriptions: () => [...onRequestApproved, onRequestWithdrawn, onTenantCreated, onUserUpdated, onServiceAccountDeleted],
      background,
    },
    config,
    overrides,
  );
};
