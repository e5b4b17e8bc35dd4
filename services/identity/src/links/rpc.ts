import type { Handlers } from '@accessops/grpc';
import type { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Call } from '@accessops/service';
import type { QueueMail } from '../mail/queue-mail.ts';
import { may } from '../may.ts';
import type { IdentityProvider } from '../provider.ts';
import type { Settings } from '../settings/settings.ts';
import { confirmEmailChange, requestEmailChange } from './change-email.ts';
import { requestPasswordReset } from './request-password-reset.ts';
import { resetPassword } from './reset-password.ts';
import { requestVerification, verifyEmail } from './verify-email.ts';

/** The RPCs about mailed links. */
export const linkHandlers = ({ provider, queueMail, settings }: { provider: IdentityProvider; queueMail: QueueMail; settings: Settings }) =>
  ({
    requestPasswordReset: async (call, { email }) => {
      await call.authorize('session', 'reset_password', {});
      return call.writeOnce(async (ctx) => {
        await requestPasswordReset(ctx, queueMail, email);
        return {};
      });
    },
    resetPassword: async (call, request) => {
      await call.authorize('session', 'reset_password', {});
      return call.orKept(() => resetPassword(call, { provider, settings }, request));
    },
    verifyEmail: async (call, { token }) => {
      await call.authorize('session', 'verify_email', {});
      return call.writeOnce(async (ctx) => {
        await verifyEmail(ctx, token);
        return {};
      }, 'all-tenants');
    },
    requestVerification: async (call) => {
      await may(call, 'me', 'update');
      return call.writeOnce(async (ctx) => {
        await requestVerification(ctx, queueMail);
        return {};
      });
    },
    requestEmailChange: async (call, { email }) => {
      await may(call, 'me', 'update');
      return call.writeOnce(async (ctx) => {
        await requestEmailChange(ctx, { queueMail, settings }, email);
        return {};
      }, 'all-tenants');
    },
    confirmEmailChange: async (call, { token }) => {
      await call.authorize('session', 'change_email', {});
      return call.writeOnce(async (ctx) => ({ status: await confirmEmailChange(ctx, token) }), 'all-tenants');
    },
  }) satisfies Partial<Handlers<typeof IdentityService, Call>>;
