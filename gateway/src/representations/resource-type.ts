import type { ResourceType } from '@accessops/proto/accessops/requests/v1/requests_pb';
import { z } from '@hono/zod-openapi';
import { duration, exampleId, exampleTime, id, jsonObject, time } from '../fields.ts';
import { moneyJson, moneySchema } from './money.ts';
import { objectOf, timeOf } from './proto.ts';

const catalogFields = {
  id: id('The type.'),
  key: z.string(),
  name: z.string(),
  connector: z.string(),
  roles: z.array(z.string()).openapi({ description: 'Roles that can be asked for.' }),
  sensitivity: z.enum(['low', 'medium', 'high']),
  pii: z.boolean(),
  maxDuration: duration,
  exclusive: z.boolean(),
  parametersSchema: jsonObject.nullable().openapi({ description: 'JSON Schema of `parameters`; null: none are taken.' }),
  pricePerHour: moneySchema.nullable(),
};

export const catalogTypeSchema = z.object(catalogFields).openapi('CatalogResourceType');

export const resourceTypeSchema = z
  .object({ ...catalogFields, config: jsonObject, version: z.int(), createdAt: time, updatedAt: time })
  .openapi('ResourceType');

type CatalogTypeJson = z.infer<typeof catalogTypeSchema>;
type ResourceTypeJson = z.infer<typeof resourceTypeSchema>;

export const catalogTypeExample: CatalogTypeJson = {
  id: '0192f0c1-aaaa-7b4d-8c6f-2a9d1e4b7c3a',
  key: 'database',
  name: 'Database',
  connector: 'simulated',
  roles: ['reader', 'writer'],
  sensitivity: 'high',
  pii: false,
  maxDuration: 'P1D',
  exclusive: false,
  parametersSchema: null,
  pricePerHour: { amount: 250, currency: 'EUR' },
};

export const resourceTypeExample: ResourceTypeJson = {
  ...catalogTypeExample,
  id: exampleId,
  config: {},
  version: 1,
  createdAt: exampleTime,
  updatedAt: exampleTime,
};

/** A type as everybody sees it: without the connector's configuration. */
export const catalogTypeJson = (type: ResourceType): CatalogTypeJson => ({
  id: type.id,
  key: type.key,
  name: type.name,
  connector: type.connector,
  roles: type.roles,
  sensitivity: type.sensitivity as CatalogTypeJson['sensitivity'],
  pii: type.pii,
  maxDuration: type.maxDuration,
  exclusive: type.exclusive,
  parametersSchema: type.parametersSchemaJson ? objectOf(type.parametersSchemaJson) : null,
  pricePerHour: type.pricePerHour ? moneyJson(type.pricePerHour) : null,
});

/** A type as those see it who look after the catalog. */
export const resourceTypeJson = (type: ResourceType): ResourceTypeJson => ({
  ...catalogTypeJson(type),
  config: objectOf(type.configJson),
  version: type.version,
  createdAt: timeOf(type.createdAt),
  updatedAt: timeOf(type.updatedAt),
});
