import { z } from '@hono/zod-openapi';
import { type Answer, defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { exampleId, id, key, name } from '../fields.ts';
import { resourceExample, resourceJson, resourceSchema } from '../representations/resource.ts';
import { resourceList } from './catalog.ts';

const newResource = z
  .strictObject({ key, name, resourceTypeId: id('Its type.'), owningTeamId: id('The team that owns it.').nullable().optional() })
  .openapi('NewResource');

const change = z
  .strictObject({ name: name.optional(), owningTeamId: id('The team that owns it; null: none does any more.').nullable().optional() })
  .openapi('ResourceChange');

const item = { schema: resourceSchema, example: resourceExample };
const answer: Answer = { status: 200, description: 'The resource.', ...item, etag: true };

/** The resources of the tenant. */
export const orgResourceRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/resources',
    operationId: 'listResources',
    tag: 'Org catalog',
    summary: 'The resources of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'resource', action: 'list' },
    list: resourceList,
    item,
    handle: async ({ services, query, options }) => pageOf(await services.requests.listResources({ query }, options), resourceJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/resources',
    operationId: 'createResource',
    tag: 'Org catalog',
    summary: 'Create a resource',
    audience: 'org-admin',
    cerbos: { resource: 'resource', action: 'create' },
    body: { schema: newResource, example: { key: 'prod-db', name: 'Production database', resourceTypeId: exampleId } },
    answer: { ...answer, status: 201 },
    errors: ['RESOURCE_KEY_TAKEN', 'LICENSE_LIMIT_REACHED'],
    handle: async ({ services, body, options }) =>
      resourceJson(await services.requests.createResource({ ...body, owningTeamId: body.owningTeamId ?? '' }, options)),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/resources/{id}',
    operationId: 'getResource',
    tag: 'Org catalog',
    summary: 'One resource',
    audience: 'org-admin',
    cerbos: { resource: 'resource', action: 'read' },
    answer,
    errors: ['RESOURCE_NOT_FOUND'],
    handle: async ({ services, params, options }) => resourceJson(await services.requests.getResource({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/org/resources/{id}',
    operationId: 'updateResource',
    tag: 'Org catalog',
    summary: 'Change name or owning team',
    audience: 'org-admin',
    cerbos: { resource: 'resource', action: 'update' },
    body: { schema: change, example: { name: 'Production database (EU)' } },
    answer,
    errors: ['RESOURCE_NOT_FOUND'],
    handle: async ({ services, params, body, options }) =>
      resourceJson(
        await services.requests.updateResource(
          { id: params.id, name: body.name, owningTeamId: body.owningTeamId === null ? '' : body.owningTeamId },
          options,
        ),
      ),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/resources/{id}',
    operationId: 'deleteResource',
    tag: 'Org catalog',
    summary: 'Take a resource out of the catalog',
    description: 'Requests for it stay readable. Those that wait for a decision are `LAPSED`, and all access to it ends.',
    audience: 'org-admin',
    cerbos: { resource: 'resource', action: 'delete' },
    answer: { status: 204, description: 'The resource is gone.' },
    errors: ['RESOURCE_NOT_FOUND'],
    handle: ({ services, params, options }) => services.requests.deleteResource({ id: params.id }, options),
  }),
];
