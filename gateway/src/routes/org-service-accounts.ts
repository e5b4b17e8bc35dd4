import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { z } from '@hono/zod-openapi';
import { type Answer, defineList, defineRoute, pageOf, type Route } from '../define-route.ts';
import { secondsOf } from '../duration.ts';
import { duration, exampleTime, id, personName, time } from '../fields.ts';
import { permissionList, permissionText } from '../representations/permission.ts';
import {
  apiKeyExample,
  apiKeyJson,
  apiKeySchema,
  newApiKeyExample,
  newApiKeyJson,
  newApiKeySchema,
  serviceAccountExample,
  serviceAccountJson,
  serviceAccountSchema,
} from '../representations/service-account.ts';

const description = z.string().max(2000);

const ownerId = id('An active user of the organisation: who answers for it.');

const newAccount = z
  .strictObject({ name: personName, description: description.optional(), scopes: permissionList, ownerId: ownerId.optional() })
  .openapi('NewServiceAccount');

const change = z
  .strictObject({
    name: personName.optional(),
    description: description.nullable().optional(),
    scopes: permissionList.optional(),
    ownerId: ownerId.optional(),
  })
  .openapi('ServiceAccountChange');

const expiresAt = time.optional().openapi({ description: 'In 90 days when not named; at most 366 days away.', example: exampleTime });

const newKey = z.strictObject({ expiresAt }).openapi('NewApiKeyOptions');

const rotation = z
  .strictObject({
    overlap: duration.default('PT24H').openapi({ description: 'How long the old key is good for still; at most `P30D`.' }),
    expiresAt,
  })
  .openapi('ApiKeyRotation');

const item = { schema: serviceAccountSchema, example: serviceAccountExample };
const answer: Answer = { status: 200, description: 'The service account.', ...item, etag: true };
const newKeyAnswer: Answer = { status: 201, description: 'The key, told this once.', schema: newApiKeySchema, example: newApiKeyExample };

const timestamp = (text: string | undefined) => (text ? timestampFromDate(new Date(text)) : undefined);

/** Machines that call the API, and their keys. */
export const orgServiceAccountRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/service-accounts',
    operationId: 'listServiceAccounts',
    tag: 'Service accounts',
    summary: 'The service accounts of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'service_account', action: 'list' },
    list: {
      fields: { id: 'uuid', name: 'text', ownerId: 'uuid', createdBy: 'uuid', createdAt: 'time', updatedAt: 'time' },
      defaultSort: 'name',
    },
    item,
    handle: async ({ services, query, options }) =>
      pageOf(await services.identity.listServiceAccounts({ query }, options), serviceAccountJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/service-accounts',
    operationId: 'createServiceAccount',
    tag: 'Service accounts',
    summary: 'Create a service account',
    description:
      'It may do what its scopes list, and never decides on a request. Nobody gives it what they do not have. Who makes it owns it, unless `ownerId` names somebody else.',
    audience: 'org-admin',
    cerbos: { resource: 'service_account', action: 'create' },
    body: { schema: newAccount, example: { name: 'ci', scopes: serviceAccountExample.scopes } },
    answer: { ...answer, status: 201 },
    errors: ['SERVICE_ACCOUNT_NAME_TAKEN', 'CANNOT_GIVE'],
    handle: async ({ services, body, options }) =>
      serviceAccountJson(await services.identity.createServiceAccount({ ...body, scopes: body.scopes.map(permissionText) }, options)),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/service-accounts/{id}',
    operationId: 'getServiceAccount',
    tag: 'Service accounts',
    summary: 'One service account',
    audience: 'org-admin',
    cerbos: { resource: 'service_account', action: 'read' },
    answer,
    errors: ['SERVICE_ACCOUNT_NOT_FOUND'],
    handle: async ({ services, params, options }) =>
      serviceAccountJson(await services.identity.getServiceAccount({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'patch',
    path: '/api/v1/org/service-accounts/{id}',
    operationId: 'updateServiceAccount',
    tag: 'Service accounts',
    summary: 'Change name, description, scopes or owner',
    description:
      'For all of its keys, within a second. Who has owned it may know its keys: they do not decide on its requests before those keys are gone.',
    audience: 'org-admin',
    cerbos: { resource: 'service_account', action: 'update' },
    body: { schema: change, example: { scopes: serviceAccountExample.scopes } },
    answer,
    errors: ['SERVICE_ACCOUNT_NOT_FOUND', 'SERVICE_ACCOUNT_NAME_TAKEN', 'CANNOT_GIVE'],
    handle: async ({ services, params, body, options }) =>
      serviceAccountJson(
        await services.identity.updateServiceAccount(
          {
            id: params.id,
            name: body.name,
            description: body.description === null ? '' : body.description,
            scopes: body.scopes && { items: body.scopes.map(permissionText) },
            ownerId: body.ownerId,
          },
          options,
        ),
      ),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/service-accounts/{id}',
    operationId: 'deleteServiceAccount',
    tag: 'Service accounts',
    summary: 'Delete a service account',
    description: 'Its keys are refused within a second, and its access ends.',
    audience: 'org-admin',
    cerbos: { resource: 'service_account', action: 'delete' },
    answer: { status: 204, description: 'The service account is gone.' },
    errors: ['SERVICE_ACCOUNT_NOT_FOUND'],
    handle: ({ services, params, options }) => services.identity.deleteServiceAccount({ id: params.id }, options),
  }),
  defineList({
    path: '/api/v1/org/service-accounts/{id}/keys',
    operationId: 'listApiKeys',
    tag: 'Service accounts',
    summary: 'The keys of a service account',
    audience: 'org-admin',
    cerbos: { resource: 'service_account', action: 'read' },
    list: { fields: { id: 'uuid', createdAt: 'time', expiresAt: 'time', lastUsedAt: 'time' }, defaultSort: '-createdAt' },
    item: { schema: apiKeySchema, example: apiKeyExample },
    errors: ['SERVICE_ACCOUNT_NOT_FOUND'],
    handle: async ({ services, params, query, options }) =>
      pageOf(await services.identity.listApiKeys({ serviceAccountId: params.id, query }, options), apiKeyJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/service-accounts/{id}/keys',
    operationId: 'createApiKey',
    tag: 'Service accounts',
    summary: 'Make a key',
    description: 'Whoever makes one must have all scopes of the account: a key is as good as they are.',
    audience: 'org-admin',
    cerbos: { resource: 'service_account', action: 'create_key' },
    body: { schema: newKey, example: {}, optional: true },
    answer: newKeyAnswer,
    errors: ['SERVICE_ACCOUNT_NOT_FOUND', 'CANNOT_GIVE', 'API_KEY_ALREADY_SHOWN'],
    handle: async ({ services, params, body, options }) =>
      newApiKeyJson(await services.identity.createApiKey({ serviceAccountId: params.id, expiresAt: timestamp(body.expiresAt) }, options)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/service-accounts/{id}/keys/{keyId}/rotate',
    operationId: 'rotateApiKey',
    tag: 'Service accounts',
    summary: 'Make a key in place of another',
    description: 'The old one is good for the overlap still, so that both work while the machine takes the new one.',
    audience: 'org-admin',
    cerbos: { resource: 'service_account', action: 'create_key' },
    body: { schema: rotation, example: { overlap: 'PT1H' }, optional: true },
    answer: newKeyAnswer,
    errors: ['SERVICE_ACCOUNT_NOT_FOUND', 'API_KEY_NOT_FOUND', 'CANNOT_GIVE', 'API_KEY_ALREADY_SHOWN'],
    handle: async ({ services, params, body, options }) =>
      newApiKeyJson(
        await services.identity.rotateApiKey(
          {
            serviceAccountId: params.id,
            keyId: params.keyId,
            expiresAt: timestamp(body.expiresAt),
            overlapSeconds: secondsOf(body.overlap),
          },
          options,
        ),
      ),
  }),
  defineRoute({
    method: 'delete',
    path: '/api/v1/org/service-accounts/{id}/keys/{keyId}',
    operationId: 'revokeApiKey',
    tag: 'Service accounts',
    summary: 'End a key',
    description: 'It is refused within a second.',
    audience: 'org-admin',
    cerbos: { resource: 'service_account', action: 'revoke_key' },
    answer: { status: 204, description: 'The key is gone.' },
    errors: ['SERVICE_ACCOUNT_NOT_FOUND', 'API_KEY_NOT_FOUND'],
    handle: ({ services, params, options }) =>
      services.identity.revokeApiKey({ serviceAccountId: params.id, keyId: params.keyId }, options),
  }),
];
