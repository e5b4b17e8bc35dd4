import type { ApiKey, ServiceAccount } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { permissionJson, permissionSchema } from './permission.ts';
import { orNull, timeOf, timeOrNull } from './proto.ts';

export const serviceAccountSchema = z
  .object({
    id: id('The service account.'),
    name: z.string(),
    description: z.string().nullable(),
    scopes: z.array(permissionSchema),
    ownerId: id('The user who answers for it. Nobody decides on requests of an account that they own, have made or may know a key of.'),
    createdBy: id('The user who made it.'),
    version: z.int(),
    createdAt: time,
    updatedAt: time,
  })
  .openapi('ServiceAccount');

const keyFields = {
  id: id('The key.'),
  prefix: z.string().openapi({ description: 'What the key begins with.' }),
  createdAt: time,
  expiresAt: time,
  lastUsedAt: time.nullable().openapi({ description: 'To the minute; null: never.' }),
};

export const apiKeySchema = z.object(keyFields).openapi('ApiKey');

export const newApiKeySchema = z
  .object({ ...keyFields, key: z.string().openapi({ description: 'For `Authorization: Bearer …`; told this once.' }) })
  .openapi('NewApiKey');

type ServiceAccountJson = z.infer<typeof serviceAccountSchema>;
type ApiKeyJson = z.infer<typeof apiKeySchema>;
type NewApiKeyJson = z.infer<typeof newApiKeySchema>;

export const serviceAccountExample: ServiceAccountJson = {
  id: exampleId,
  name: 'ci',
  description: 'Asks for access to run migrations',
  scopes: [
    { resource: 'access_request', action: 'create' },
    { resource: 'access_request', action: 'list_own' },
  ],
  ownerId: '0192f0c1-9999-7b4d-8c6f-2a9d1e4b7c39',
  createdBy: '0192f0c1-9999-7b4d-8c6f-2a9d1e4b7c39',
  version: 1,
  createdAt: exampleTime,
  updatedAt: exampleTime,
};

export const apiKeyExample: ApiKeyJson = {
  id: '0192f0c1-7777-7b4d-8c6f-2a9d1e4b7c37',
  prefix: 'aok_AZLwwXd3e02MbyqdHkt8Nw',
  createdAt: exampleTime,
  expiresAt: '2027-02-19T09:30:00.000Z',
  lastUsedAt: null,
};

export const newApiKeyExample: NewApiKeyJson = { ...apiKeyExample, key: `${apiKeyExample.prefix}…` };

/** A service account as the API shows it. */
export const serviceAccountJson = (account: ServiceAccount): ServiceAccountJson => ({
  id: account.id,
  name: account.name,
  description: orNull(account.description),
  scopes: account.scopes.map(permissionJson),
  ownerId: account.ownerId,
  createdBy: account.createdBy,
  version: account.version,
  createdAt: timeOf(account.createdAt),
  updatedAt: timeOf(account.updatedAt),
});

/** A key as lists show it. */
export const apiKeyJson = ({ id, prefix, createdAt, expiresAt, lastUsedAt }: ApiKey): ApiKeyJson => ({
  id,
  prefix,
  createdAt: timeOf(createdAt),
  expiresAt: timeOf(expiresAt),
  lastUsedAt: timeOrNull(lastUsedAt),
});

/** A key in the answer that makes it. */
export const newApiKeyJson = (made: ApiKey): NewApiKeyJson => ({ ...apiKeyJson(made), key: made.key });
