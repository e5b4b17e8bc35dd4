import { callAlone } from '@accessops/db';
import { ApprovalsService } from '@accessops/proto/accessops/approvals/v1/approvals_pb';
import { type RunningService, type ServiceOverrides, startService } from '@accessops/service';
import { ApprovalCase } from './approval-case.ts';
import { createArbiter } from './arbiter.ts';
import type { ApprovalsConfig } from './config.ts';
import { onPersonChanged } from './on-person-changed.ts';
import { onRequests } from './on-requests.ts';
import { onServiceAccountChanged } from './on-service-account-changed.ts';
import { Person } from './person.ts';
import { approvalsHandlers } from './rpc.ts';
import { createTurns } from './turns.ts';
import { Vote } from './vote.ts';

/** Starts the service in which people decide. */
export const startApprovals = async (config: ApprovalsConfig, overrides?: ServiceOverrides): Promise<RunningService> => {
  const arbiter = await createArbiter(config);
  return startService(
    {
      name: 'approvals',
      service: ApprovalsService,
      entities: [ApprovalCase, Vote, Person],
      handlers: ({ pool, outbox }) =>
        approvalsHandlers({ arbiter, database: callAlone(pool), takeTurns: createTurns(), wake: () => outbox.wake() }),
      subscriptions: () => [...onRequests, ...onPersonChanged, ...onServiceAccountChanged],
      background: () => ({ close: async () => arbiter.close() }),
    },
    config,
    overrides,
  );
};
