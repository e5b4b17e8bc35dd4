import { RequestsService } from '@accessops/proto/accessops/requests/v1/requests_pb';
import { type RunningService, type ServiceOverrides, startService } from '@accessops/service';
import { AccessRequest } from './access-request/access-request.ts';
import { onApprovalDecided } from './access-request/on-approval-decided.ts';
import { onProvisioning } from './access-request/on-provisioning.ts';
import { onRequesterGone } from './access-request/on-requester-gone.ts';
import { createSeenRequests } from './access-request/seen-requests.ts';
import { createOffers } from './catalog/offers.ts';
import { Resource } from './catalog/resource.ts';
import { ResourceType } from './catalog/resource-type.ts';
import type { RequestsConfig } from './config.ts';
import { requestsHandlers } from './rpc.ts';
import { onTeamChanged } from './team/on-team-changed.ts';
import { onTeamDeleted } from './team/on-team-deleted.ts';
import { Team } from './team/team.ts';

/** Starts the requests service: the catalog, and the arbiter of a request's state. */
export const startRequests = (config: RequestsConfig, overrides?: ServiceOverrides): Promise<RunningService> => {
  const known = { offers: createOffers(), seen: createSeenRequests() };
  return startService(
    {
      name: 'requests',
      service: RequestsService,
      entities: [ResourceType, Resource, Team, AccessRequest],
      handlers: (parts) => requestsHandlers(parts, known),
      subscriptions: () => [onTeamChanged, onTeamDeleted, ...onRequesterGone, ...onApprovalDecided(known), ...onProvisioning],
    },
    config,
    overrides,
  );
};
