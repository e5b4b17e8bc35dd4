import { z } from '@hono/zod-openapi';
import { type Answer, defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { featureFlagExample, featureFlagJson, featureFlagSchema } from '../representations/feature-flag.ts';

const featureFlag = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower case letters, digits and hyphens, at most 63'),
    description: z.string().max(2000).nullable().optional(),
    enabled: z.boolean(),
  })
  .openapi('NewFeatureFlag');

const item = { schema: featureFlagSchema, example: featureFlagExample };
const answer: Answer = { status: 200, description: 'The feature flag.', ...item, etag: true };
const body = { schema: featureFlag, example: { name: 'new-dashboard', description: 'Shows the new dashboard', enabled: true } };

const fieldsOf = ({ description, ...fields }: z.infer<typeof featureFlag>) => ({ ...fields, description: description ?? '' });

/** Switches of the tenant. */
export const orgFeatureFlagRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/feature-flags',
    operationId: 'listFeatureFlags',
    tag: 'Configuration',
    summary: 'The feature flags of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'feature_flag', action: 'list' },
    list: { fields: { id: 'uuid', name: 'text', enabled: 'boolean', createdAt: 'time', updatedAt: 'time' }, defaultSort: 'name' },
    item,
    handle: async ({ services, query, options }) => pageOf(await services.identity.listFeatureFlags({ query }, options), featureFlagJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/feature-flags',
    operationId: 'createFeatureFlag',
    tag: 'Configuration',
    summary: 'Create a feature flag',
    audience: 'org-admin',
    cerbos: { resource: 'feature_flag', action: 'create' },
    body,
    answer: { ...answer, status: 201 },
    errors: ['FEATURE_FLAG_NAME_TAKEN'],
    handle: async ({ services, body: fields, options }) =>
      featureFlagJson(await services.identity.createFeatureFlag(fieldsOf(fields), options)),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/feature-flags/{id}',
    operationId: 'getFeatureFlag',
    tag: 'Configuration',
    summary: 'One feature flag',
    audience: 'org-admin',
    cerbos: { resource: 'feature_flag', action: 'read' },
    answer,
    errors: ['FEATURE_FLAG_NOT_FOUND'],
    handle: async ({ services, params, options }) => featureFlagJson(await services.identity.getFeatureFlag({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'put',
    path: '/api/v1/org/feature-flags/{id}',
    operationId: 'replaceFeatureFlag',
    tag: 'Configuration',
    summary: 'Rename, describe or switch a feature flag',
    audience: 'org-admin',
    cerbos: { resource: 'feature_flag', action: 'update' },
    body: { ...body, example: { name: 'new-dashboard', description: 'Shows the new dashboard', enabled: false } },
    answer: { ...answer, example: { ...featureFlagExample, enabled: false, version: 2 } },
    errors: ['FEATURE_FLAG_NOT_FOUND', 'FEATURE_FLAG_NAME_TAKEN'],
    handle: async ({ services, params, body: fields, options }) =>
      featureFlagJson(await services.identity.replaceFeatureFlag({ id: params.id, ...fieldsOf(fields) }, options)),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/feature-flags/{id}',
    operationId: 'deleteFeatureFlag',
    tag: 'Configuration',
    summary: 'Delete a feature flag',
    audience: 'org-admin',
    cerbos: { resource: 'feature_flag', action: 'delete' },
    answer: { status: 204, description: 'The feature flag is gone, and off.' },
    errors: ['FEATURE_FLAG_NOT_FOUND'],
    handle: ({ services, params, options }) => services.identity.deleteFeatureFlag({ id: params.id }, options),
  }),
];
