import { newId } from '@accessops/db';
import type { ServiceParts } from '@accessops/service';
import type { FailedLogins } from '../failed-logins.ts';
import type { IdentityProvider, Tokens } from '../provider.ts';
import type { Settings } from '../settings/settings.ts';
import { signAccessToken } from './access-token.ts';
import type { Issued } from './grant.ts';
import { createKeyRing } from './key-ring.ts';
import { accessTokenSeconds } from './lifetimes.ts';
import { login } from './login.ts';
import { logout } from './logout.ts';
import { prepareAccount } from './prepare-account.ts';
import { refresh } from './refresh.ts';
import { beginTotp } from './second-factor/begin-totp.ts';
import { confirmTotp } from './second-factor/confirm-totp.ts';
import { getMfa } from './second-factor/get-mfa.ts';
import { removeOwnSecondFactor, removeSecondFactorOf } from './second-factor/remove-second-factor.ts';
import { renewRecoveryCodes } from './second-factor/renew-recovery-codes.ts';
import { stepUp } from './step-up.ts';
import { withPassword } from './with-password.ts';

export interface LocalProviderOptions {
  /** `iss` of its tokens. */
  issuer: string;
  sealKey: Buffer;
  failedLogins: FailedLogins;
  /** How long sessions last. */
  settings: Settings;
}

/** The identity provider that comes with AccessOps: passwords, sessions and keys in its own database. */
export const createLocalProvider = (
  { pool, now, log }: ServiceParts,
  { issuer, sealKey, failedLogins, settings }: LocalProviderOptions,
): IdentityProvider => {
  const keys = createKeyRing({ pool, sealKey, now, log });

  /** The key is fetched first: nothing is started or used up when nothing can be signed. */
  const signed = async (issue: () => Promise<Issued>): Promise<Tokens> => {
    const signingKey = await keys.current();
    const { grant, refreshToken, expiresAt } = await issue();
    const at = now();
    return {
      accessToken: await signAccessToken(grant, { issuer, signingKey, id: newId(), now: at }),
      refreshToken,
      expiresIn: accessTokenSeconds,
      refreshExpiresIn: Math.ceil((expiresAt.getTime() - at.getTime()) / 1000),
    };
  };

  return {
    login: (call, credentials) => signed(() => login(call, { pool, sealKey, failedLogins, settings }, credentials)),
    refresh: (call, refreshToken) => signed(() => refresh(call, refreshToken)),
    stepUp: (call, code) => signed(() => stepUp(call, sealKey, code)),
    logout,
    jwks: keys.jwks,
    withAccount: async (person, use) => use(await prepareAccount(person)),
    secondFactor: {
      get: (call) => call.read(getMfa),
      begin: (call) => call.write((ctx) => beginTotp(ctx, sealKey)),
      confirm: (call, code) => confirmTotp(call, sealKey, code),
      renewRecoveryCodes: (call) => renewRecoveryCodes(call, sealKey),
      remove: removeOwnSecondFactor,
      removeOf: removeSecondFactorOf,
    },
    withPassword,
    maintain: keys.maintain,
    close: async () => {},
  };
};
