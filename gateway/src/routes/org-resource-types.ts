import { z } from '@hono/zod-openapi';
import { type Answer, defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { duration, jsonObject, key, name, roleNames } from '../fields.ts';
import { resourceTypeExample, resourceTypeJson, resourceTypeSchema } from '../representations/resource-type.ts';
import { resourceTypeList } from './catalog.ts';

const pricePerHour = z.strictObject({
  amount: z.int().min(0),
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code'),
});

const newType = z
  .strictObject({
    key,
    name,
    connector: key,
    roles: roleNames,
    parametersSchema: jsonObject.optional(),
    sensitivity: z.enum(['low', 'medium', 'high']),
    pii: z.boolean().optional(),
    maxDuration: duration,
    exclusive: z.boolean().optional(),
    pricePerHour: pricePerHour.optional(),
    config: jsonObject.optional(),
  })
  .openapi('NewResourceType');

const change = z
  .strictObject({
    name: name.optional(),
    roles: roleNames.optional(),
    parametersSchema: jsonObject.nullable().optional(),
    sensitivity: z.enum(['low', 'medium', 'high']).optional(),
    pii: z.boolean().optional(),
    maxDuration: duration.optional(),
    exclusive: z.boolean().optional(),
    pricePerHour: pricePerHour.optional(),
    config: jsonObject.optional(),
  })
  .openapi('ResourceTypeChange');

const jsonText = (value: unknown): string | undefined => {
  if (value === null) return '';
  return value === undefined ? undefined : JSON.stringify(value);
};

/** What the JSON fields are called in the contract between processes. */
const translated = <T extends { parametersSchema?: unknown; config?: unknown; pricePerHour?: { amount: number; currency: string } }>({
  parametersSchema,
  config,
  pricePerHour: price,
  ...rest
}: T) => ({
  ...rest,
  parametersSchemaJson: jsonText(parametersSchema),
  configJson: jsonText(config),
  ...(price ? { pricePerHour: { amount: BigInt(price.amount), currency: price.currency } } : {}),
});

const item = { schema: resourceTypeSchema, example: resourceTypeExample };
const answer: Answer = { status: 200, description: 'The type.', ...item, etag: true };

/** Kinds of resources: connector, roles, sensitivity, longest duration. */
export const orgResourceTypeRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/resource-types',
    operationId: 'listResourceTypes',
    tag: 'Org catalog',
    summary: 'The resource types of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'resource_type', action: 'list' },
    list: resourceTypeList,
    item,
    handle: async ({ services, query, options }) => pageOf(await services.requests.listResourceTypes({ query }, options), resourceTypeJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/resource-types',
    operationId: 'createResourceType',
    tag: 'Org catalog',
    summary: 'Create a resource type',
    audience: 'org-admin',
    cerbos: { resource: 'resource_type', action: 'create' },
    body: {
      schema: newType,
      example: {
        key: 'database',
        name: 'Database',
        connector: 'simulated',
        roles: ['reader', 'writer'],
        sensitivity: 'high',
        maxDuration: 'P1D',
        pricePerHour: { amount: 250, currency: 'EUR' },
      },
    },
    answer: { ...answer, status: 201 },
    errors: ['RESOURCE_TYPE_KEY_TAKEN'],
    handle: async ({ services, body, options }) => resourceTypeJson(await services.requests.createResourceType(translated(body), options)),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/resource-types/{id}',
    operationId: 'getResourceType',
    tag: 'Org catalog',
    summary: 'One resource type',
    audience: 'org-admin',
    cerbos: { resource: 'resource_type', action: 'read' },
    answer,
    errors: ['RESOURCE_TYPE_NOT_FOUND'],
    handle: async ({ services, params, options }) => resourceTypeJson(await services.requests.getResourceType({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/org/resource-types/{id}',
    operationId: 'updateResourceType',
    tag: 'Org catalog',
    summary: 'Change a resource type',
    description: 'Requests that are open keep the plan they were filed with.',
    audience: 'org-admin',
    cerbos: { resource: 'resource_type', action: 'update' },
    body: { schema: change, example: { sensitivity: 'medium', maxDuration: 'PT8H' } },
    answer,
    errors: ['RESOURCE_TYPE_NOT_FOUND'],
    handle: async ({ services, params, body, options }) =>
      resourceTypeJson(await services.requests.updateResourceType({ id: params.id, ...translated(body) }, options)),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/resource-types/{id}',
    operationId: 'deleteResourceType',
    tag: 'Org catalog',
    summary: 'Delete a resource type that no resource has',
    audience: 'org-admin',
    cerbos: { resource: 'resource_type', action: 'delete' },
    answer: { status: 204, description: 'The type is gone.' },
    errors: ['RESOURCE_TYPE_NOT_FOUND', 'RESOURCE_TYPE_IN_USE'],
    handle: ({ services, params, options }) => services.requests.deleteResourceType({ id: params.id }, options),
  }),
];
