import type { Code } from '@accessops/errors';
import { z } from '@hono/zod-openapi';
import { defineRoute, type Route } from '../define-route.ts';
import { domain, email, key, name, password, personName, totpCode } from '../fields.ts';
import { sessionExample, sessionJson, sessionSchema } from '../representations/session.ts';
import { tenantExample, tenantJson, tenantSchema } from '../representations/tenant.ts';
import { userExample, userJson, userSchema } from '../representations/user.ts';

const registration = z
  .strictObject({
    email,
    password,
    firstName: personName,
    lastName: personName,
    organization: z.strictObject({ name, slug: key, domain: domain.optional() }).optional(),
  })
  .openapi('Registration');

const secondFactorCode = {
  totp: totpCode.optional().openapi({ description: 'The code of the authenticator app; good once.' }),
  recoveryCode: z.string().min(1).max(64).optional().openapi({ description: 'Instead of `totp`; good once.' }),
};

const proof = z
  .strictObject(secondFactorCode)
  .refine(({ totp, recoveryCode }) => (totp === undefined) !== (recoveryCode === undefined), {
    path: ['totp'],
    message: 'give either totp or recoveryCode',
  })
  .openapi('SecondFactorProof');

// Whatever is no address or password is answered like a wrong one.
const login = z
  .strictObject({
    email: z.string().min(1).max(254),
    password,
    audience: z.enum(['app', 'org-admin', 'admin']).optional(),
    tenant: key.optional(),
    ...secondFactorCode,
  })
  .openapi('Login');

const refresh = z.strictObject({ refreshToken: z.string().min(1).max(4096) }).openapi('Refresh');

export const loginBody = {
  schema: login,
  example: { email: 'requester@acme.test', password: 'three orange lamps above', audience: 'app', tenant: 'acme' },
};

export const loginErrors: readonly Code[] = [
  'INVALID_CREDENTIALS',
  'MFA_REQUIRED',
  'INVALID_MFA_CODE',
  'TOO_MANY_ATTEMPTS',
  'AUDIENCE_NOT_ALLOWED',
  'TENANT_REQUIRED',
  'TENANT_SUSPENDED',
  'NOT_A_MEMBER',
];

export const proofBody = { schema: proof, example: { totp: '287082' } };

const session = { schema: sessionSchema, example: sessionExample };

// An outside identity provider takes a third of a second for a login, and those of one person wait for each other.
const sessionDeadlineMs = 30_000;

/** Signing up, in, on and out. */
export const sessionRoutes: Route[] = [
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/register',
    operationId: 'register',
    deadlineMs: sessionDeadlineMs,
    tag: 'Session',
    summary: 'Sign up, with a new organisation or without',
    description: 'The first user of a new organisation is its admin.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'register' },
    body: {
      schema: registration,
      example: {
        email: 'ada@example.test',
        password: 'three orange lamps above',
        firstName: 'Ada',
        lastName: 'Admin',
        organization: { name: 'Example', slug: 'example' },
      },
    },
    answer: {
      status: 201,
      description: 'The user, and the tenant when one was named.',
      schema: z.object({ user: userSchema, tenant: tenantSchema.optional() }),
      example: { user: userExample, tenant: tenantExample },
    },
    errors: ['EMAIL_TAKEN', 'SLUG_TAKEN', 'DOMAIN_TAKEN', 'PASSWORD_TOO_WEAK', 'TOO_MANY_MAILS'],
    handle: async ({ services, body, options }) => {
      const { user, tenant } = await services.identity.register(body, options);
      return { user: user && userJson(user), ...(tenant ? { tenant: tenantJson(tenant) } : {}) };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/login',
    operationId: 'login',
    deadlineMs: sessionDeadlineMs,
    tag: 'Session',
    summary: 'Sign in',
    description:
      'The audience `org-admin` is for admins, managers and auditors of a tenant, `admin` for platform staff. Whoever has a second factor ' +
      'gives `totp` or `recoveryCode` too; `MFA_REQUIRED` tells that one is missing, and that the password was right.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'login' },
    idempotent: false,
    body: loginBody,
    answer: { status: 200, description: 'A session.', ...session },
    errors: loginErrors,
    handle: async ({ services, body, options, attempt }) =>
      sessionJson(await attempt(body.email, () => services.identity.login(body, options))),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/refresh',
    operationId: 'refresh',
    deadlineMs: sessionDeadlineMs,
    tag: 'Session',
    summary: 'Trade a refresh token for new tokens',
    description: 'A refresh token is good for one use; using it again ends the session.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'refresh' },
    idempotent: false,
    body: { schema: refresh, example: { refreshToken: sessionExample.refreshToken } },
    answer: { status: 200, description: 'A session.', ...session },
    errors: ['INVALID_REFRESH_TOKEN', 'TENANT_SUSPENDED'],
    handle: async ({ services, body, options }) => sessionJson(await services.identity.refresh(body, options)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/step-up',
    operationId: 'stepUp',
    tag: 'Session',
    summary: 'Prove the second factor within a session',
    description:
      'Answers new tokens of the same session, with `acr` `aal2` for a day; the refresh tokens it had are used up. It is what an ' +
      '`INSUFFICIENT_AUTHENTICATION` asks for.',
    audience: 'session',
    cerbos: { resource: 'session', action: 'step_up' },
    idempotent: false,
    body: proofBody,
    answer: { status: 200, description: 'The session.', ...session },
    errors: ['MFA_NOT_ENROLLED', 'INVALID_MFA_CODE', 'TOO_MANY_ATTEMPTS'],
    handle: async ({ services, body, options }) => sessionJson(await services.identity.stepUp(body, options)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/auth/logout',
    operationId: 'logout',
    deadlineMs: sessionDeadlineMs,
    tag: 'Session',
    summary: 'Sign out',
    description: 'Access tokens of the session are refused within a second.',
    audience: 'public',
    cerbos: { resource: 'session', action: 'logout' },
    idempotent: false,
    body: { schema: refresh, example: { refreshToken: sessionExample.refreshToken } },
    answer: { status: 204, description: 'The session has ended.' },
    handle: ({ services, body, options }) => services.identity.logout(body, options),
  }),
];
