import { z } from '@hono/zod-openapi';
import { defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { text } from '../fields.ts';
import { grantExample, grantJson, grantSchema } from '../representations/grant.ts';
import { grantList, revokeRoute } from './grants.ts';

/** The grants of the tenant. */
export const orgGrantRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/grants',
    operationId: 'listGrants',
    tag: 'Org operations',
    summary: 'The grants of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'grant', action: 'list_all' },
    list: grantList,
    item: { schema: grantSchema, example: grantExample },
    handle: async ({ services, query, options }) => pageOf(await services.provisioner.listGrants({ query }, options), grantJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/grants/{id}/close',
    operationId: 'closeGrant',
    tag: 'Org operations',
    summary: 'Close a grant whose target does not let go',
    description:
      'Only while it is `REVOKE_FAILED`, and on your word: nobody has seen the target without the access. The audit log keeps the reason.',
    audience: 'org-admin',
    cerbos: { resource: 'grant', action: 'close' },
    body: {
      schema: z.strictObject({ reason: text(500) }),
      example: { reason: 'The server was switched off for good, OPS-4711' },
    },
    answer: { status: 200, description: 'The grant.', schema: grantSchema, example: { ...grantExample, status: 'REVOKED' } },
    errors: ['GRANT_NOT_FOUND', 'GRANT_NOT_STUCK', 'VERSION_CONFLICT'],
    handle: async ({ services, params, body, options }) =>
      grantJson(await services.provisioner.closeGrant({ id: params.id, reason: body.reason }, options)),
  }),
  revokeRoute({ path: '/api/v1/org/grants/{id}/revoke', operationId: 'revokeAnyGrant', tag: 'Org operations', audience: 'org-admin' }),
];
