import { z } from '@hono/zod-openapi';
import { defineRoute, noBody, type Route } from '../define-route.ts';
import { totpCode } from '../fields.ts';
import {
  mfaExample,
  mfaJson,
  mfaSchema,
  recoveryCodesExample,
  recoveryCodesSchema,
  totpExample,
  totpSchema,
} from '../representations/mfa.ts';

const confirmation = z.strictObject({ code: totpCode }).openapi('TotpConfirmation');

const recoveryCodes = {
  status: 200 as const,
  description: 'Recovery codes, which are shown this once.',
  schema: recoveryCodesSchema,
  example: recoveryCodesExample,
};

/** The caller's second factor. What is handed out once is not kept under an Idempotency-Key. */
export const meMfaRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/me/mfa',
    operationId: 'getMfa',
    tag: 'Me',
    summary: 'My second factor',
    audience: 'app',
    cerbos: { resource: 'me', action: 'read' },
    answer: { status: 200, description: 'The second factor.', schema: mfaSchema, example: mfaExample },
    handle: async ({ services, options }) => mfaJson(await services.identity.getMfa({}, options)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/me/mfa/totp',
    operationId: 'beginTotp',
    tag: 'Me',
    summary: 'Begin to enrol an authenticator app',
    description: 'Nothing changes until it is confirmed; beginning again makes another secret.',
    audience: 'app',
    cerbos: { resource: 'me', action: 'manage_mfa' },
    idempotent: false,
    body: noBody,
    answer: { status: 201, description: 'The secret, which is shown this once.', schema: totpSchema, example: totpExample },
    errors: ['MFA_ALREADY_ENROLLED'],
    handle: async ({ services, options }) => {
      const { secret, uri } = await services.identity.beginTotp({}, options);
      return { secret, uri };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/me/mfa/totp/confirm',
    operationId: 'confirmTotp',
    tag: 'Me',
    summary: 'Confirm the authenticator app by a code of it',
    description: 'From then on signing in asks for a code.',
    audience: 'app',
    cerbos: { resource: 'me', action: 'manage_mfa' },
    idempotent: false,
    body: { schema: confirmation, example: { code: '287082' } },
    answer: recoveryCodes,
    errors: ['MFA_NOT_BEGUN', 'TOO_MANY_ATTEMPTS'],
    handle: async ({ services, body, options }) => ({ recoveryCodes: (await services.identity.confirmTotp(body, options)).codes }),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/me/mfa/totp',
    operationId: 'removeTotp',
    tag: 'Me',
    summary: 'Give up my second factor',
    description: 'Takes a session that has proved it within the last five minutes, by signing in or stepping up.',
    audience: 'app',
    cerbos: { resource: 'me', action: 'manage_mfa' },
    answer: { status: 204, description: 'There is no second factor any more.' },
    errors: ['MFA_NOT_ENROLLED', 'INSUFFICIENT_AUTHENTICATION'],
    handle: ({ services, options }) => services.identity.removeTotp({}, options),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/me/mfa/recovery-codes',
    operationId: 'renewRecoveryCodes',
    tag: 'Me',
    summary: 'New recovery codes instead of the old ones',
    description: 'Takes a session that has proved the second factor within the last five minutes, by signing in or stepping up.',
    audience: 'app',
    cerbos: { resource: 'me', action: 'manage_mfa' },
    idempotent: false,
    body: noBody,
    answer: recoveryCodes,
    errors: ['MFA_NOT_ENROLLED', 'INSUFFICIENT_AUTHENTICATION'],
    handle: async ({ services, options }) => ({ recoveryCodes: (await services.identity.renewRecoveryCodes({}, options)).codes }),
  }),
];
