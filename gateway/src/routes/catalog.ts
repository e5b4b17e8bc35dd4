import { defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import type { ListDeclaration } from '../list-query.ts';
import { catalogResourceExample, catalogResourceJson, catalogResourceSchema } from '../representations/resource.ts';
import { catalogTypeExample, catalogTypeJson, catalogTypeSchema } from '../representations/resource-type.ts';

/** What resources can be filtered and sorted by. */
export const resourceList: ListDeclaration = {
  fields: {
    id: 'uuid',
    key: 'text',
    name: 'text',
    resourceTypeId: 'uuid',
    owningTeamId: 'uuid',
    ownerId: 'uuid',
    createdAt: 'time',
    updatedAt: 'time',
  },
  defaultSort: '-createdAt',
};

/** What resource types can be filtered and sorted by. */
export const resourceTypeList: ListDeclaration = {
  fields: { id: 'uuid', key: 'text', name: 'text', connector: 'text', sensitivity: 'text', createdAt: 'time', updatedAt: 'time' },
  defaultSort: '-createdAt',
};

/** What can be asked for. */
export const catalogRoutes: Route[] = [
  defineList({
    path: '/api/v1/catalog/resources',
    operationId: 'listCatalogResources',
    tag: 'Catalog',
    summary: 'What I may ask for',
    audience: 'app',
    cerbos: { resource: 'catalog', action: 'read' },
    list: resourceList,
    item: { schema: catalogResourceSchema, example: catalogResourceExample },
    handle: async ({ services, query, options }) => pageOf(await services.requests.listResources({ query }, options), catalogResourceJson),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/catalog/resources/{id}',
    operationId: 'getCatalogResource',
    tag: 'Catalog',
    summary: 'One resource of the catalog',
    audience: 'app',
    cerbos: { resource: 'catalog', action: 'read' },
    answer: { status: 200, description: 'The resource.', schema: catalogResourceSchema, example: catalogResourceExample },
    errors: ['RESOURCE_NOT_FOUND'],
    handle: async ({ services, params, options }) => catalogResourceJson(await services.requests.getResource({ id: params.id }, options)),
  }),
  defineList({
    path: '/api/v1/catalog/resource-types',
    operationId: 'listCatalogResourceTypes',
    tag: 'Catalog',
    summary: 'The kinds of resources',
    audience: 'app',
    cerbos: { resource: 'catalog', action: 'read' },
    list: resourceTypeList,
    item: { schema: catalogTypeSchema, example: catalogTypeExample },
    handle: async ({ services, query, options }) => pageOf(await services.requests.listResourceTypes({ query }, options), catalogTypeJson),
  }),
];
