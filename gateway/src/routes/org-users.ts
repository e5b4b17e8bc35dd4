import { z } from '@hono/zod-openapi';
import { type Answer, defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { email, orgRole, password, personName } from '../fields.ts';
import { userExample, userJson, userSchema } from '../representations/user.ts';

const newUser = z
  .strictObject({ email, firstName: personName, lastName: personName, password, orgRoles: z.array(orgRole).max(5) })
  .openapi('NewUser');

const change = z
  .strictObject({ firstName: personName.optional(), lastName: personName.optional(), active: z.boolean().optional() })
  .openapi('UserChange');

const item = { schema: userSchema, example: userExample };
const answer: Answer = { status: 200, description: 'The user.', ...item, etag: true };

/** The people of the tenant. */
export const orgUserRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/users',
    operationId: 'listUsers',
    tag: 'Organisation',
    summary: 'The users of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'user', action: 'list' },
    list: {
      fields: {
        id: 'uuid',
        email: 'text',
        firstName: 'text',
        lastName: 'text',
        active: 'boolean',
        emailVerified: 'boolean',
        orgRoles: 'text-list',
        createdAt: 'time',
        updatedAt: 'time',
      },
      defaultSort: '-createdAt',
    },
    item,
    handle: async ({ services, query, options }) => pageOf(await services.identity.listUsers({ query }, options), userJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/users',
    operationId: 'createUser',
    tag: 'Organisation',
    summary: 'Create a user',
    audience: 'org-admin',
    cerbos: { resource: 'user', action: 'create' },
    body: {
      schema: newUser,
      example: {
        email: 'rosa@acme.test',
        firstName: 'Rosa',
        lastName: 'Requester',
        password: 'three orange lamps above',
        orgRoles: ['requester'],
      },
    },
    answer: { ...answer, status: 201 },
    errors: ['LICENSE_LIMIT_REACHED', 'CANNOT_GIVE', 'EMAIL_TAKEN', 'PASSWORD_TOO_WEAK', 'TOO_MANY_MAILS'],
    handle: async ({ services, body, options }) => userJson(await services.identity.createUser(body, options)),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/users/{id}',
    operationId: 'getUser',
    tag: 'Organisation',
    summary: 'One user',
    audience: 'org-admin',
    cerbos: { resource: 'user', action: 'read' },
    answer,
    errors: ['USER_NOT_FOUND'],
    handle: async ({ services, params, options }) => userJson(await services.identity.getUser({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/org/users/{id}',
    operationId: 'updateUser',
    tag: 'Organisation',
    summary: 'Change names, deactivate or activate',
    audience: 'org-admin',
    cerbos: { resource: 'user', action: 'update' },
    body: { schema: change, example: { lastName: 'Requester-Jones' } },
    answer,
    errors: ['USER_NOT_FOUND', 'LAST_ADMIN', 'CANNOT_GIVE', 'LICENSE_LIMIT_REACHED', 'CANNOT_DEACTIVATE_SELF'],
    handle: async ({ services, params, body, options }) =>
      userJson(await services.identity.updateUser({ id: params.id, ...body }, options)),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/users/{id}',
    operationId: 'deactivateUser',
    tag: 'Organisation',
    summary: 'Deactivate a user',
    description: 'The user is refused everywhere within a second, and stays in the records.',
    audience: 'org-admin',
    cerbos: { resource: 'user', action: 'deactivate' },
    answer: { status: 204, description: 'The user is deactivated.' },
    errors: ['USER_NOT_FOUND', 'LAST_ADMIN', 'CANNOT_DEACTIVATE_SELF'],
    handle: ({ services, params, options }) => services.identity.updateUser({ id: params.id, active: false }, options),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/users/{id}/mfa',
    operationId: 'removeUserMfa',
    tag: 'Organisation',
    summary: 'Take the second factor of a user who has lost it',
    description: 'They sign in with the password alone from then on, and can enrol a new one.',
    audience: 'org-admin',
    cerbos: { resource: 'user', action: 'remove_mfa' },
    answer: { status: 204, description: 'The user has no second factor any more.' },
    errors: ['USER_NOT_FOUND', 'MFA_NOT_ENROLLED', 'BELONGS_ELSEWHERE', 'INSUFFICIENT_AUTHENTICATION'],
    handle: ({ services, params, options }) => services.identity.removeUserMfa({ userId: params.id }, options),
  }),
];
