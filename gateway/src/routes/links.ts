import { z } from '@hono/zod-openapi';
import { defineRoute, noBody, type Route } from '../define-route.ts';
import { email, exampleLinkToken, linkToken, password, personName } from '../fields.ts';
import { tenantExample, tenantJson, tenantSchema } from '../representations/tenant.ts';
import { userExample, userJson, userSchema } from '../representations/user.ts';

const address = z.strictObject({ email }).openapi('EmailAddress');
const proof = z.strictObject({ token: linkToken }).openapi('LinkToken');
const newPassword = z.strictObject({ token: linkToken, password }).openapi('NewPassword');
const acceptance = z
  .strictObject({ token: linkToken, password: password.optional(), firstName: personName.optional(), lastName: personName.optional() })
  .openapi('InvitationAcceptance');

const progress = z.object({ status: z.enum(['WAITING', 'CHANGED']) }).openapi('EmailChange');
const joined = z.object({ user: userSchema, tenant: tenantSchema }).openapi('Joined');

const proofBody = { schema: proof, example: { token: exampleLinkToken } };

/** What is done by mail: verifying and changing an address, choosing a new password, joining a tenant. */
export const linkRoutes: Route[] = [
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/password-reset',
    operationId: 'requestPasswordReset',
    tag: 'Session',
    summary: 'Ask for a mail with which to choose a new password',
    description: 'The answer does not tell whether there is an account. One mail a minute is sent; its link is good for an hour.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'reset_password' },
    body: { schema: address, example: { email: 'requester@acme.test' } },
    answer: { status: 204, description: 'If there is an account, a mail is on its way.' },
    handle: ({ services, body, options }) => services.identity.requestPasswordReset(body, options),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/password-reset/confirm',
    operationId: 'resetPassword',
    tag: 'Session',
    summary: 'Choose a new password',
    description: 'All sessions of the person end.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'reset_password' },
    body: { schema: newPassword, example: { token: exampleLinkToken, password: 'four violet lamps below' } },
    answer: { status: 204, description: 'The password is set.' },
    errors: ['LINK_NOT_VALID', 'PASSWORD_TOO_WEAK'],
    handle: ({ services, body, options }) => services.identity.resetPassword(body, options),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/verify-email',
    operationId: 'verifyEmail',
    tag: 'Session',
    summary: 'Verify an e-mail address',
    description: 'With the link that was mailed at registration, or since; it is good for a day.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'verify_email' },
    body: proofBody,
    answer: { status: 204, description: 'The address is verified.' },
    errors: ['LINK_NOT_VALID'],
    handle: ({ services, body, options }) => services.identity.verifyEmail(body, options),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/email-change/confirm',
    operationId: 'confirmEmailChange',
    tag: 'Session',
    summary: 'Agree to a change of address',
    description: 'Both addresses have to agree within a day; the second changes it.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'change_email' },
    body: proofBody,
    answer: { status: 200, description: 'Whether the other address is still to agree.', schema: progress, example: { status: 'WAITING' } },
    errors: ['LINK_NOT_VALID', 'EMAIL_TAKEN'],
    handle: ({ services, body, options }) => services.identity.confirmEmailChange(body, options).then(({ status }) => ({ status })),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/invitations/accept',
    operationId: 'acceptInvitation',
    tag: 'Session',
    summary: 'Join a tenant that has sent an invitation',
    description:
      'Without an account, the names and a password make one. With an account whose address is verified the token is enough; sign in again to act in the tenant. ' +
      'An account whose address nobody has verified takes the password given here, and its sessions end.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'accept_invitation' },
    body: {
      schema: acceptance,
      example: { token: exampleLinkToken, password: 'three orange lamps above', firstName: 'Rosa', lastName: 'Requester' },
    },
    answer: {
      status: 201,
      description: 'The person is a user of the tenant.',
      schema: joined,
      example: { user: userExample, tenant: tenantExample },
    },
    errors: ['LINK_NOT_VALID', 'PASSWORD_TOO_WEAK', 'TENANT_SUSPENDED', 'EMAIL_TAKEN', 'LICENSE_LIMIT_REACHED'],
    handle: async ({ services, body, options }) => {
      const { user, tenant } = await services.identity.acceptInvitation(body, options);
      return { user: user && userJson(user), tenant: tenant && tenantJson(tenant) };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/me/email/verification',
    operationId: 'requestVerification',
    tag: 'Me',
    summary: 'Have another link mailed that verifies my address',
    audience: 'app',
    anyTenant: true,
    cerbos: { resource: 'me', action: 'update' },
    body: noBody,
    answer: { status: 204, description: 'A mail is on its way, unless the address is verified.' },
    errors: ['TOO_MANY_MAILS'],
    handle: ({ services, options }) => services.identity.requestVerification({}, options),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/me/email',
    operationId: 'requestEmailChange',
    tag: 'Me',
    summary: 'Change my e-mail address',
    description: 'A link goes to the old address and one to the new; the address changes, in all tenants, when both were used.',
    audience: 'app',
    anyTenant: true,
    cerbos: { resource: 'me', action: 'update' },
    body: { schema: address, example: { email: 'rosa@acme.test' } },
    answer: { status: 204, description: 'Two mails are on their way.' },
    errors: ['TOO_MANY_MAILS'],
    handle: ({ services, body, options }) => services.identity.requestEmailChange(body, options),
  }),
];
