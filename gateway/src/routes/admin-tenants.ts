import { type Answer, defineList, defineRoute, noBody, pageOf, type Route } from '../define-route.ts';
import { tenantExample, tenantJson, tenantSchema } from '../representations/tenant.ts';

const item = { schema: tenantSchema, example: tenantExample };
const answer: Answer = { status: 200, description: 'The tenant.', ...item, etag: true };

/** All tenants, for platform staff. */
export const adminTenantRoutes: Route[] = [
  defineList({
    path: '/api/v1/admin/tenants',
    operationId: 'listTenants',
    tag: 'Platform',
    summary: 'All tenants',
    audience: 'admin',
    cerbos: { resource: 'tenant', action: 'list_any' },
    list: { fields: { id: 'uuid', slug: 'text', name: 'text', status: 'text', createdAt: 'time' }, defaultSort: '-createdAt' },
    item,
    handle: async ({ services, query, options }) => pageOf(await services.identity.listTenants({ query }, options), tenantJson),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/admin/tenants/{id}',
    operationId: 'getAnyTenant',
    tag: 'Platform',
    summary: 'Any tenant',
    audience: 'admin',
    cerbos: { resource: 'tenant', action: 'read_any' },
    answer,
    errors: ['TENANT_NOT_FOUND'],
    handle: async ({ services, params, options }) => tenantJson(await services.identity.getAnyTenant({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/admin/tenants/{id}/suspend',
    operationId: 'suspendTenant',
    tag: 'Platform',
    summary: 'Refuse everybody of a tenant',
    audience: 'admin',
    cerbos: { resource: 'tenant', action: 'suspend' },
    body: noBody,
    answer: { ...answer, example: { ...tenantExample, status: 'SUSPENDED', version: 2 } },
    errors: ['TENANT_NOT_FOUND', 'TENANT_ALREADY_SUSPENDED'],
    handle: async ({ services, params, options }) => tenantJson(await services.identity.suspendTenant({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/admin/tenants/{id}/activate',
    operationId: 'activateTenant',
    tag: 'Platform',
    summary: 'End a suspension',
    audience: 'admin',
    cerbos: { resource: 'tenant', action: 'activate' },
    body: noBody,
    answer,
    errors: ['TENANT_NOT_FOUND', 'TENANT_ALREADY_ACTIVE'],
    handle: async ({ services, params, options }) => tenantJson(await services.identity.activateTenant({ id: params.id }, options)),
  }),
];
