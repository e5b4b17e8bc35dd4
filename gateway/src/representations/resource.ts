import { type Resource, ResourceTypeSchema } from '@accessops/proto/accessops/requests/v1/requests_pb';
import { create } from '@bufbuild/protobuf';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { orNull, timeOf } from './proto.ts';
import { catalogTypeExample, catalogTypeJson, catalogTypeSchema } from './resource-type.ts';

const catalogFields = {
  id: id('The resource.'),
  key: z.string(),
  name: z.string(),
  type: catalogTypeSchema,
  owningTeamId: id('The team that owns it; null: none does.').nullable(),
};

export const catalogResourceSchema = z.object(catalogFields).openapi('CatalogResource');

export const resourceSchema = z
  .object({
    ...catalogFields,
    resourceTypeId: id('Its type.'),
    ownerId: id('Who created it.').nullable(),
    version: z.int(),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Resource');

type CatalogResourceJson = z.infer<typeof catalogResourceSchema>;
type ResourceJson = z.infer<typeof resourceSchema>;

export const catalogResourceExample: CatalogResourceJson = {
  id: exampleId,
  key: 'prod-db',
  name: 'Production database',
  type: catalogTypeExample,
  owningTeamId: null,
};

export const resourceExample: ResourceJson = {
  ...catalogResourceExample,
  resourceTypeId: catalogTypeExample.id,
  ownerId: '0192f0c1-bbbb-7b4d-8c6f-2a9d1e4b7c3b',
  version: 1,
  createdAt: exampleTime,
  updatedAt: exampleTime,
};

const typeOf = ({ type }: Resource) => type ?? create(ResourceTypeSchema);

/** A resource as everybody sees it. */
export const catalogResourceJson = (resource: Resource): CatalogResourceJson => ({
  id: resource.id,
  key: resource.key,
  name: resource.name,
  type: catalogTypeJson(typeOf(resource)),
  owningTeamId: orNull(resource.owningTeamId),
});

/** A resource as those see it who look after the catalog. */
export const resourceJson = (resource: Resource): ResourceJson => ({
  ...catalogResourceJson(resource),
  resourceTypeId: typeOf(resource).id,
  ownerId: orNull(resource.ownerId),
  version: resource.version,
  createdAt: timeOf(resource.createdAt),
  updatedAt: timeOf(resource.updatedAt),
});
