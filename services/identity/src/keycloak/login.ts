import { AppError } from '@accessops/errors';
import type { Call, ServiceParts } from '@accessops/service';
import { decodeJwt } from 'jose';
import { normalizeEmail } from '../email.ts';
import { parseAudience } from '../local/choose-memberships.ts';
import type { Credentials, Tokens } from '../provider.ts';
import type { Audience } from '../session.ts';
import { adopt } from './adopt.ts';
import { codeForKeycloak } from './authenticator-app.ts';
import { clientOf } from './clients.ts';
import { GrantRefused, type KeycloakTokens } from './grants.ts';
import type { KeycloakParts } from './keycloak-provider.ts';
import { endLockout } from './lockout.ts';
import { keycloakSessionOf, placesOf, startSession } from './sessions.ts';

const noOrganization = 'openid';

/** Whether Keycloak has found the password or the code wrong, or keeps the person out: it does not say which. */
const isRefusal = (error: unknown): boolean => error instanceof GrantRefused && error.code === 'invalid_grant';

/**
 * The scope whose tokens tell of the tenants that are meant, and of no other. What speaks against a session is said only after the password
 * has turned out to be right.
 */
const scopeFor = async (call: Call, accountId: string | undefined, audience: Audience, tenant: string): Promise<string> => {
  if (!accountId) return noOrganization;
  try {
    const { places } = await call.read((ctx) => placesOf(ctx, accountId, audience, tenant), 'all-tenants');
    if (places.length > 1) return 'openid organization:*';
    return places[0] ? `openid organization:${places[0].slug}` : noOrganization;
  } catch (error) {
    if (error instanceof AppError && error.code !== 'DEPENDENCY_UNAVAILABLE') return noOrganization;
    throw error;
  }
};

/** Logs somebody in at Keycloak and notes the session here. Errors: see IdentityProvider, and DEPENDENCY_UNAVAILABLE. */
export const login = (call: Call, parts: ServiceParts, keycloak: KeycloakParts, credentials: Credentials): Promise<Tokens> => {
  const { grants, admin, reconciler, sessions, logins, failedLogins, sealKey } = keycloak;
  const audience = parseAudience(credentials.audience);
  const email = normalizeEmail(credentials.email);
  const { password, tenant, totp, recoveryCode } = credentials;
  if (!email) throw new AppError('INVALID_CREDENTIALS');

  const find = async (): Promise<string | undefined> => {
    const { rows } = await parts.pool.query<{ id: string }>('select id from account where email = $1', [email]);
    return rows[0]?.id;
  };
  const obtain = async (scope: string, code: string): Promise<KeycloakTokens> => {
    const ask = () => grants.byPassword(clientOf(audience), { username: email, password, scope, totp: code || totp });
    try {
      return await ask().catch(async (error: unknown) => {
        // Nobody has looked at the password yet when Keycloak keeps the person out.
        if (isRefusal(error) && (await endLockout(admin, { id: await find(), email }))) return ask();
        throw error;
      });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      failedLogins.note((await find()) ?? null, call.origin);
      throw new AppError('INVALID_CREDENTIALS', undefined, { cause: error });
    }
  };
  const enter = async (accountId: string, tokens: KeycloakTokens, isCodeOurs = false): Promise<Tokens> => {
    try {
      const start = { accountId, tokens, audience, tenant, code: { totp, recoveryCode }, isCodeOurs };
      const started = await call.write((ctx) => startSession(ctx, keycloak, start), 'all-tenants');
      if (!started) throw new AppError('INVALID_MFA_CODE');
      return started;
    } catch (error) {
      await sessions
        .end(keycloakSessionOf(tokens))
        .catch((cause: unknown) => call.log.warn({ err: cause }, 'a session is left in Keycloak'));
      throw error;
    }
  };

  // Keycloak takes logins of one person that arrive together for guesses and refuses all but one.
  return logins(email, async () => {
    if (call.signal.aborted) throw new AppError('DEPENDENCY_UNAVAILABLE');
    const known = await find();
    if (known) await reconciler.settle(known);
    const scope = await scopeFor(call, known, audience, tenant);
    const code = known ? await codeForKeycloak(parts.pool, sealKey, known, parts.now()) : '';
    try {
      const tokens = await obtain(scope, code);
      const subject = String(decodeJwt(tokens.accessToken).sub);
      if (known === subject) return await enter(subject, tokens, code !== '');
      // Somebody whom only Keycloak knows so far.
      await adopt(parts, keycloak, subject);
      const better = await scopeFor(call, subject, audience, tenant);
      if (better === scope) return await enter(subject, tokens);
      await sessions.end(keycloakSessionOf(tokens));
      return await enter(subject, await obtain(better, ''));
    } catch (error) {
      if (!(error instanceof GrantRefused)) throw error;
      // Keycloak does not know the membership that we know of: what happened there has not been heard yet.
      if (known) await reconciler.note([known]);
      throw new AppError('DEPENDENCY_UNAVAILABLE', 'Your membership is just changing; try again', { cause: error });
    }
  });
};
