import { type Answer, defineRoute, type Route } from '../define-route.ts';
import { changeOf, licenseChange, licenseExample, licenseJson, licenseSchema } from '../representations/license.ts';

const answer: Answer = { status: 200, description: 'The license.', schema: licenseSchema, example: licenseExample, etag: true };

/** What the tenant is allowed. */
export const orgLicenseRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/org/license',
    operationId: 'getLicense',
    tag: 'Configuration',
    summary: 'My license',
    audience: 'org-admin',
    cerbos: { resource: 'license', action: 'read' },
    answer,
    handle: async ({ services, options }) => licenseJson(await services.identity.getLicense({}, options)),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/org/license',
    operationId: 'updateLicense',
    tag: 'Configuration',
    summary: 'Give up a larger tier, or flags',
    description: 'What would be more than there is now is `PERMISSION_DENIED`: more is given by the platform, or bought.',
    audience: 'org-admin',
    cerbos: { resource: 'license', action: 'update' },
    body: { schema: licenseChange, example: { tier: 'free', flags: [] } },
    answer,
    handle: async ({ services, body, options }) => licenseJson(await services.identity.updateLicense({ change: changeOf(body) }, options)),
  }),
];
