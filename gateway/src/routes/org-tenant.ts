import { z } from '@hono/zod-openapi';
import { type Answer, defineRoute, type Route } from '../define-route.ts';
import { domain, name } from '../fields.ts';
import { tenantExample, tenantJson, tenantSchema } from '../representations/tenant.ts';

const change = z
  .strictObject({
    name: name.optional(),
    domain: domain.nullable().optional(),
  })
  .openapi('TenantChange');

const answer: Answer = { status: 200, description: 'The tenant.', schema: tenantSchema, example: tenantExample, etag: true };

/** The caller's tenant. */
export const orgTenantRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/org/tenant',
    operationId: 'getTenant',
    tag: 'Organisation',
    summary: 'My tenant',
    audience: 'org-admin',
    cerbos: { resource: 'tenant', action: 'read' },
    answer,
    handle: async ({ services, options }) => tenantJson(await services.identity.getTenant({}, options)),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/org/tenant',
    operationId: 'updateTenant',
    tag: 'Organisation',
    summary: 'Change name or domain',
    audience: 'org-admin',
    cerbos: { resource: 'tenant', action: 'update' },
    body: { schema: change, example: { name: 'Acme Corporation', domain: 'acme.test' } },
    answer,
    errors: ['DOMAIN_TAKEN'],
    handle: async ({ services, body, options }) =>
      tenantJson(await services.identity.updateTenant({ name: body.name, domain: body.domain === null ? '' : body.domain }, options)),
  }),
];
