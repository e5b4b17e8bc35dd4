import { AppError } from '@accessops/errors';
import { beginTotp } from '../local/second-factor/begin-totp.ts';
import { confirmTotp } from '../local/second-factor/confirm-totp.ts';
import { getMfa } from '../local/second-factor/get-mfa.ts';
import { removeOwnSecondFactor, removeSecondFactorOf } from '../local/second-factor/remove-second-factor.ts';
import { renewRecoveryCodes } from '../local/second-factor/renew-recovery-codes.ts';
import type { SecondFactors } from '../provider.ts';
import type { Admin } from './admin.ts';
import { credentialsOf } from './credentials.ts';
import type { Reconciler } from './reconciler.ts';

interface SecondFactorParts {
  admin: Admin;
  reconciler: Reconciler;
  sealKey: Buffer;
}

/**
 * Second factors as the local provider has them; Keycloak is told of them like of everything else that changes here, so that it asks for
 * them too. Those that were set up on Keycloak's own pages stay there: they count, and that is all.
 */
export const createSecondFactors = ({ admin, reconciler, sealKey }: SecondFactorParts): SecondFactors => {
  const isInKeycloak = async (id: string) => {
    // One that was given up here a moment ago is not one of Keycloak's own.
    await reconciler.settle(id);
    return (await credentialsOf(admin, id)).some(({ type }) => type === 'otp');
  };
  const orElsewhere = async <T>(id: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'MFA_NOT_ENROLLED') || !(await isInKeycloak(id))) throw error;
      throw new AppError('MFA_KEPT_ELSEWHERE');
    }
  };
  return {
    get: async (call) => {
      const mfa = await call.read(getMfa);
      return mfa.enrolled ? mfa : { enrolled: await isInKeycloak(call.principal.id) };
    },
    begin: async (call) => {
      if (await isInKeycloak(call.principal.id)) throw new AppError('MFA_ALREADY_ENROLLED');
      return call.write((ctx) => beginTotp(ctx, sealKey));
    },
    confirm: (call, code) => confirmTotp(call, sealKey, code),
    renewRecoveryCodes: (call) => orElsewhere(call.principal.id, renewRecoveryCodes(call, sealKey)),
    remove: (call) => orElsewhere(call.principal.id, removeOwnSecondFactor(call)),
    removeOf: (call, userId) => orElsewhere(userId, removeSecondFactorOf(call, userId)),
  };
};
