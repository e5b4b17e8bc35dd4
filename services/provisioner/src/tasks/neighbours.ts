import { createMinter, processPrincipal } from '@accessops/authn';
import { type CallOptions, connect, type ServiceClient } from '@accessops/grpc';
import { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { RequestsService } from '@accessops/proto/accessops/requests/v1/requests_pb';
import { metadataFrom } from '@accessops/service';
import type { ProvisionerConfig } from '../config.ts';
import type { ClaimedTask } from '../jobs/job.ts';

/** The services that do what tasks may not do themselves; asked under this service's own name, within the task's tenant. */
export interface Neighbours {
  identity: ServiceClient<typeof IdentityService>;
  requests: ServiceClient<typeof RequestsService>;
  /** Options of a call for a task. A `step` that is asked for again, by whichever attempt, gets the answer that it got before. */
  optionsFor(task: ClaimedTask, signal: AbortSignal, step?: string): Promise<CallOptions>;
  close(): void;
}

// Longer than a mail server may take.
const deadlineMs = 25_000;

/** Connects to them, lazily. */
export const connectNeighbours = async ({
  identityAddress,
  requestsAddress,
  principalKey,
  tls,
}: Pick<ProvisionerConfig, 'identityAddress' | 'requestsAddress' | 'principalKey' | 'tls'>): Promise<Neighbours> => {
  const minter = await createMinter(principalKey);
  const identity = connect(IdentityService, identityAddress, { tls });
  const requests = connect(RequestsService, requestsAddress, { tls });
  return {
    identity,
    requests,
    optionsFor: async ({ id, tenantId, origin }, signal, step) => {
      const metadata = metadataFrom(await minter.mint(processPrincipal('service', 'provisioner', tenantId)), origin);
      if (step) {
        metadata.set('idempotency-key', encodeURIComponent(`${step} ${id}`));
        metadata.set('idempotency-fingerprint', step);
      }
      return { metadata, deadlineMs, signal };
    },
    close: () => {
      identity.close();
      requests.close();
    },
  };
};
