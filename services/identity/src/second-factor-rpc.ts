import type { Handlers } from '@accessops/grpc';
import type { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call } from '@accessops/service';
import { may } from './may.ts';
import type { IdentityProvider } from './provider.ts';

/** The RPCs about second factors; what is handed out once is not kept under an Idempotency-Key. */
export const secondFactorHandlers = ({ secondFactor, stepUp }: Pick<IdentityProvider, 'secondFactor' | 'stepUp'>) =>
  ({
    stepUp: async (call, code) => {
      await call.authorize('session', 'step_up', {});
      return stepUp(call, code);
    },
    getMfa: async (call) => {
      await may(call, 'me', 'read');
      return secondFactor.get(call);
    },
    beginTotp: async (call) => {
      await may(call, 'me', 'manage_mfa');
      return secondFactor.begin(call);
    },
    confirmTotp: async (call, { code }) => {
      await may(call, 'me', 'manage_mfa');
      return { codes: await secondFactor.confirm(call, code) };
    },
    renewRecoveryCodes: async (call) => {
      await may(call, 'me', 'manage_mfa');
      return { codes: await secondFactor.renewRecoveryCodes(call) };
    },
    removeTotp: async (call) => {
      await may(call, 'me', 'manage_mfa');
      await secondFactor.remove(call);
      return {};
    },
    removeUserMfa: async (call, { userId }) => {
      await may(call, 'user', 'remove_mfa');
      await secondFactor.removeOf(call, userId);
      return {};
    },
  }) satisfies Partial<Handlers<typeof IdentityService, Call>>;
