import { type Answer, defineRoute, type Route } from '../define-route.ts';
import { changeOf, licenseChange, licenseExample, licenseJson, licenseSchema } from '../representations/license.ts';

const answer: Answer = { status: 200, description: 'The license.', schema: licenseSchema, example: licenseExample, etag: true };

/** What any tenant is allowed. */
export const adminLicenseRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/admin/tenants/{id}/license',
    operationId: 'getAnyLicense',
    tag: 'Platform',
    summary: 'The license of any tenant',
    audience: 'admin',
    cerbos: { resource: 'license', action: 'read_any' },
    answer,
    errors: ['TENANT_NOT_FOUND'],
    handle: async ({ services, params, options }) => licenseJson(await services.identity.getAnyLicense({ tenantId: params.id }, options)),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/admin/tenants/{id}/license',
    operationId: 'updateAnyLicense',
    tag: 'Platform',
    summary: 'Change the license of any tenant',
    description: 'The next event of Stripe about the tenant counts again.',
    audience: 'admin',
    cerbos: { resource: 'license', action: 'update_any' },
    body: { schema: licenseChange, example: { tier: 'team', flags: ['sso'] } },
    answer,
    errors: ['TENANT_NOT_FOUND'],
    handle: async ({ services, params, body, options }) =>
      licenseJson(await services.identity.updateAnyLicense({ tenantId: params.id, change: changeOf(body) }, options)),
  }),
];
