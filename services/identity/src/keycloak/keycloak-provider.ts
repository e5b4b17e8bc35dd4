import { AppError } from '@accessops/errors';
import type { ServiceParts } from '@accessops/service';
import { checkPassword } from '../password-rules.ts';
import type { IdentityProvider } from '../provider.ts';
import { type Admin, createAdmin } from './admin.ts';
import { createDrafts } from './draft.ts';
import { createGrants, type Grants } from './grants.ts';
import { createKeys } from './keys.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { createOrganizations } from './organizations.ts';
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
}

/** What the use cases of this provider work with. */
export interface KeycloakParts {
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
export const createKeycloakProvider = (parts: ServiceParts, { issuer, clientSecret }: KeycloakOptions): IdentityProvider => {
  const [baseUrl = '', realm = ''] = issuer.split('/realms/');
  const grants = createGrants({ realmUrl: issuer, secret: clientSecret });
  const admin = createAdmin({ baseUrl, realm, grants });
  const reconciler = createReconciler({ parts, admin, organizations: createOrganizations(admin) });
  const sessions = createSessions(parts, { admin, realm });
  const drafts = createDrafts(parts, admin);
  const watch = createWatch({ parts, admin, realm, reconciler, sessions });
  const keycloak: KeycloakParts = { grants, admin, reconciler, sessions, logins: createTurns(1) };
  const warn = (what: string) => (error: unknown) => parts.log.warn({ err: error }, what);
  const loops = [
    repeat(settleEveryMs, () => reconciler.round(), warn('people cannot be settled with Keycloak')),
    repeat(settleEveryMs, sessions.tellEnded, warn('Keycloak cannot be told of ended sessions')),
    repeat(watchEveryMs, watch.round, warn('Keycloak cannot be asked what has changed')),
    repeat(sweepEveryMs, drafts.sweep, warn('drafts cannot be taken back')),
  ];
  return {
    login: (call, credentials) => login(call, parts, keycloak, credentials),
    refresh: (call, refreshToken) => refresh(call, keycloak, refreshToken),
    logout: (call, refreshToken) => logout(call, keycloak, refreshToken),
    jwks: createKeys(issuer),
    stepUp: () => Promise.reject(new AppError('MFA_KEPT_ELSEWHERE')),
    withAccount: drafts.withAccount,
    secondFactor: createSecondFactors(admin),
    withPassword: async ({ id, email }, { password, minLength }, use) => {
      checkPassword(password, email, minLength);
      // Set when the transaction that ends the old sessions is through: until then the old password counts.
      const done = await use(async () => {});
      await admin.run(({ users }) => users.resetPassword({ id, credential: { type: 'password', value: password, temporary: false } }));
      return done;
    },
    maintain: async () => {},
    close: async () => {
      await Promise.all(loops.map((loop) => loop.close()));
    },
  };
};
