import { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { type RunningService, type ServiceOverrides, startService } from '@accessops/service';
import { Account } from './account.ts';
import type { IdentityConfig } from './config.ts';
import { type FailedLogins, startFailedLogins } from './failed-logins.ts';
import { FeatureFlag } from './feature-flags/feature-flag.ts';
import { Invitation } from './invitations/invitation.ts';
import { License } from './license/license.ts';
import { createLocalProvider } from './local/local-provider.ts';
import { createMailer } from './mail/mailer.ts';
import { type PostOffice, startPostOffice } from './mail/post-office.ts';
import { createMailQueue } from './mail/queue-mail.ts';
import { onGrantRevocationChanged } from './on-grant-revocation-changed.ts';
import type { IdentityProvider } from './provider.ts';
import { Role } from './roles/role.ts';
import { identityHandlers } from './rpc.ts';
import { ApiKey } from './service-accounts/api-key.ts';
import { ServiceAccount } from './service-accounts/service-account.ts';
import { createSettings } from './settings/settings.ts';
import { Team } from './team.ts';
import { TeamMember } from './team-member.ts';
import { Tenant } from './tenant.ts';
import { startUpkeep, type Upkeep } from './upkeep.ts';
import { User } from './user.ts';

/** Starts the identity service; answers once its first signing key and the declared platform staff are there, if the database is. */
export const startIdentity = async (config: IdentityConfig, overrides?: ServiceOverrides): Promise<RunningService> => {
  let provider: IdentityProvider | undefined;
  let upkeep: Upkeep | undefined;
  let postOffice: PostOffice | undefined;
  let failedLogins: FailedLogins | undefined;
  const mailer = await createMailer(config.mail);
  const { keycloak } = config;
  // Keycloak's libraries are loaded by those who have one.
  const createKeycloak = keycloak && (await import('./keycloak/keycloak-provider.ts')).createKeycloakProvider;
  const realm = keycloak && (await import('./keycloak/realm.ts')).lookAtRealm({ realmUrl: config.issuer, secret: keycloak.clientSecret });
  const running = await startService(
    {
      name: 'identity',
      service: IdentityService,
      entities: [Account, Tenant, User, Team, TeamMember, Invitation, FeatureFlag, License, Role, ServiceAccount, ApiKey],
      handlers: (parts) => {
        failedLogins = startFailedLogins(parts);
        const settings = createSettings({ environment: config.settings, sealKey: config.sealKey });
        const options = { issuer: config.issuer, sealKey: config.sealKey, failedLogins, settings };
        provider = createKeycloak ? createKeycloak(parts, { ...options, ...keycloak }) : createLocalProvider(parts, options);
        upkeep = startUpkeep(parts, provider, config.platformUsers);
        postOffice = startPostOffice(parts, { ...config, mailer });
        return identityHandlers(parts, {
          provider,
          settings,
          queueMail: createMailQueue(config.sealKey),
          mailer,
          publicUrl: config.publicUrl,
          ready: upkeep.ready,
        });
      },
      looks: realm && [realm],
      dependencies: keycloak && [
        {
          name: 'keycloak',
          critical: false,
          isUp: async () => (await fetch(`${config.issuer}/protocol/openid-connect/certs`, { signal: AbortSignal.timeout(2000) })).ok,
        },
      ],
      subscriptions: () => [onGrantRevocationChanged],
      background: () => ({
        close: async () => {
          await upkeep?.close();
          await postOffice?.close();
          await failedLogins?.close();
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
