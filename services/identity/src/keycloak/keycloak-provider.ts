import { AppError } from '@accessops/errors';
import type { ServiceParts } from '@accessops/service';
import type { FailedLogins } from '../failed-logins.ts';
import type { IdentityProvider } from '../provider.ts';
import type { Settings } from '../settings/settings.ts';
import { type Admin, createAdmin } from './admin.ts';
import { createDrafts } from './draft.ts';
import { createGrants, type Grants } from './grants.ts';
import { createKeys } from './keys.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { createOrganizations } from './organizations.ts';
import { createWithPassword } from './password.ts';
import { createRealm } from './realm.ts';
import { createReconciler, type Reconciler } from './reconciler.ts';
import { refresh } from './refresh.ts';
import { repeat } from './repeat.ts';
import { createSecondFactors } from './second-factor.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createTurns, type Turns } from './turns.ts';
import { createWatch } from './watch.ts';

export interface KeycloakOptions {
  /** `iss` of its tokens, which is the address of the realm. */
  issuer: string;
  /** Secret of the realm's clients. */
  clientSecret: string;
  /** Seals the secrets of authenticator apps. */
  sealKey: Buffer;
  failedLogins: FailedLogins;
  /** How long sessions last at most. */
  settings: Settings;
}

/** What the use cases of this provider work with. */
export interface KeycloakParts extends Pick<KeycloakOptions, 'sealKey' | 'failedLogins' | 'settings'> {
  grants: Grants;
  admin: Admin;
  reconciler: Reconciler;
  sessions: Sessions;
  /** One login of a person at a time. */
  logins: Turns;
}

const settleEveryMs = 200;
const watchEveryMs = 250;
const sweepEveryMs = 5000;

/** A real Keycloak as the identity provider: it keeps passwords, sessions and keys; here is what it tells and is told. */
export const createKeycloakProvider = (parts: ServiceParts, options: KeycloakOptions): IdentityProvider => {
  const { issuer, clientSecret, sealKey } = options;
  const [baseUrl = '', realm = ''] = issuer.split('/realms/');
  const realmCheck = createRealm({ realmUrl: issuer, secret: clientSecret, log: parts.log });
  const grants = createGrants({ realmUrl: issuer, secret: clientSecret });
  const admin = createAdmin({ baseUrl, realm, grants });
  const reconciler = createReconciler({ parts, admin, organizations: createOrganizations(admin), sealKey });
  const sessions = createSessions(parts, { admin, realm });
  const drafts = createDrafts(parts, admin);
  const watch = createWatch({ parts, admin, realm, reconciler, sessions });
  const keycloak: KeycloakParts = { ...options, grants, admin, reconciler, sessions, logins: createTurns(1) };
  const warn = (what: string) => (error: unknown) => parts.log.warn({ err: error }, what);
  const loops = [
    repeat(settleEveryMs, () => reconciler.round(), warn('people cannot be settled with Keycloak')),
    repeat(settleEveryMs, sessions.tellEnded, warn('Keycloak cannot be told of ended sessions')),
    repeat(watchEveryMs, watch.round, warn('Keycloak cannot be asked what has changed')),
    repeat(sweepEveryMs, drafts.sweep, warn('drafts cannot be taken back')),
  ];
  return {
    login: async (call, credentials) => {
      await realmCheck.ensure();
      return login(call, parts, keycloak, credentials);
    },
    refresh: (call, refreshToken) => refresh(call, keycloak, refreshToken),
    logout: (call, refreshToken) => logout(call, keycloak, refreshToken),
    jwks: createKeys(issuer),
    stepUp: () => Promise.reject(new AppError('SIGN_IN_AGAIN')),
    withAccount: async (person, use) => {
      await realmCheck.ensure();
      return drafts.withAccount(person, use);
    },
    secondFactor: createSecondFactors(keycloak),
    withPassword: createWithPassword(reconciler),
    maintain: () => realmCheck.ensure(),
    close: async () => {
      await Promise.all(loops.map((loop) => loop.close()));
    },
  };
};
