import { defineList, pageOf, type Route } from '../define-route.ts';
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
  revokeRoute({ path: '/api/v1/org/grants/{id}/revoke', operationId: 'revokeAnyGrant', tag: 'Org operations', audience: 'org-admin' }),
];
