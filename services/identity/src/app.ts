import { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { type RunningService, type ServiceOverrides, startService } from '@accessops/service';
import { Account } from './account.ts';
import type { IdentityConfig } from './config.ts';
import { createLocalProvider } from './local/local-provider.ts';
import type { IdentityProvider } from './provider.ts';
import { identityHandlers } from './rpc.ts';
import { Team } from './team.ts';
import { TeamMember } from './team-member.ts';
import { Tenant } from './tenant.ts';
import { startUpkeep, type Upkeep } from './upkeep.ts';
import { User } from './user.ts';

/** Starts the identity service; answers once its first signing key and the declared platform staff are there, if the database is. */
export const startIdentity = async (config: IdentityConfig, overrides?: ServiceOverrides): Promise<RunningService> => {
  let provider: IdentityProvider | undefined;
  let upkeep: Upkeep | undefined;
  const running = await startService(
    {
      name: 'identity',
      service: IdentityService,
      entities: [Account, Tenant, User, Team, TeamMember],
      handlers: (parts) => {
        provider = createLocalProvider(parts, config);
        upkeep = startUpkeep(parts, provider, config.platformUsers);
        return identityHandlers(parts, { provider, ready: upkeep.ready });
      },
      background: () => ({
        close: async () => {
          await upkeep?.close();
          await provider?.close();
        },
      }),
    },
    config,
    overrides,
  );
  await upkeep?.ready;
  return running;
};
