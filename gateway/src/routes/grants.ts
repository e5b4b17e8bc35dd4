import { z } from '@hono/zod-openapi';
import { type Answer, defineList, defineRoute, noBody, pageOf, type Route } from '../define-route.ts';
import { jsonObject } from '../fields.ts';
import type { ListDeclaration } from '../list-query.ts';
import { grantExample, grantJson, grantSchema } from '../representations/grant.ts';
import { jobExample, jobJson, jobSchema } from '../representations/job.ts';
import { objectOf } from '../representations/proto.ts';

/** What grants can be filtered and sorted by. */
export const grantList: ListDeclaration = {
  fields: {
    id: 'uuid',
    requestId: 'uuid',
    holderId: 'uuid',
    resourceId: 'uuid',
    role: 'text',
    status: 'text',
    activatedAt: 'time',
    expiresAt: 'time',
    endedAt: 'time',
  },
  defaultSort: '-activatedAt',
};

const item = { schema: grantSchema, example: grantExample };
const answer: Answer = { status: 200, description: 'The grant.', ...item };

/** Ends a grant; the same in both namespaces. */
export const revokeRoute = (namespace: Pick<Route, 'path' | 'operationId' | 'tag' | 'audience'>): Route =>
  defineRoute({
    ...namespace,
    method: 'post',
    summary: 'End a grant',
    description: 'It becomes `REVOKED` once the target says so.',
    cerbos: { resource: 'grant', action: 'revoke' },
    body: noBody,
    answer: { ...answer, example: { ...grantExample, status: 'REVOKING' } },
    errors: ['GRANT_NOT_FOUND', 'GRANT_NOT_ACTIVE'],
    handle: async ({ services, params, options }) => grantJson(await services.provisioner.revokeGrant({ id: params.id }, options)),
  });

/** Access that is there. */
export const grantRoutes: Route[] = [
  defineList({
    path: '/api/v1/grants/me',
    operationId: 'listMyGrants',
    tag: 'Grants',
    summary: 'My grants',
    audience: 'app',
    cerbos: { resource: 'grant', action: 'list_own' },
    list: grantList,
    item,
    handle: async ({ services, query, options }) => pageOf(await services.provisioner.listMyGrants({ query }, options), grantJson),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/grants/{id}',
    operationId: 'getGrant',
    tag: 'Grants',
    summary: 'One grant',
    description: 'For its holder, admins, managers and auditors.',
    audience: 'app',
    cerbos: { resource: 'grant', action: 'read' },
    answer,
    errors: ['GRANT_NOT_FOUND'],
    handle: async ({ services, params, options }) => grantJson(await services.provisioner.getGrant({ id: params.id }, options)),
  }),
  revokeRoute({ path: '/api/v1/grants/{id}/revoke', operationId: 'revokeGrant', tag: 'Grants', audience: 'app' }),
  defineRoute({
    method: 'post',
    path: '/api/v1/grants/{id}/credential',
    operationId: 'readCredential',
    tag: 'Grants',
    summary: 'Read the credential of my grant, once',
    description:
      'With `publicKey` it is answered as a compact JWE that only the owner of the key can read: EC (P-256, P-384, P-521) and X25519 keys by ECDH-ES+A256KW, RSA keys of 2048 bits or more and an exponent of 65537 or more by RSA-OAEP-256; the content by A256GCM.',
    audience: 'app',
    cerbos: { resource: 'grant', action: 'read_credential' },
    idempotent: false,
    body: { schema: z.strictObject({ publicKey: jsonObject.optional() }), example: {}, optional: true },
    answer: {
      status: 200,
      description: 'What the connector handed over: `credential`, or `jwe` when there was a `publicKey`.',
      schema: z.object({ credential: jsonObject.optional(), jwe: z.string().optional() }),
      example: { credential: { username: 'u_4b7c30', password: 'made-up-for-this-example' } },
    },
    errors: ['GRANT_NOT_FOUND', 'GRANT_NOT_ACTIVE', 'CREDENTIAL_ALREADY_READ', 'CREDENTIAL_BEING_REISSUED', 'CREDENTIAL_LOST'],
    handle: async ({ services, params, body, options }) => {
      const publicKeyJson = body.publicKey && JSON.stringify(body.publicKey);
      const { credentialJson, jwe } = await services.provisioner.readCredential({ grantId: params.id, publicKeyJson }, options);
      return jwe ? { jwe } : { credential: objectOf(credentialJson) };
    },
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/grants/{id}/credential/reissue',
    operationId: 'reissueCredential',
    tag: 'Grants',
    summary: 'Have the credential of my grant replaced, unread',
    description:
      'The former credential is given up at once, and stops working when the target has another one. That is what the job does: once it has `SUCCEEDED`, the new credential can be read, once. Should it have `FAILED`, ask again.',
    audience: 'app',
    cerbos: { resource: 'grant', action: 'reissue_credential' },
    body: noBody,
    answer: {
      status: 200,
      description: 'The job that replaces it.',
      schema: jobSchema,
      example: { ...jobExample, kind: 'ROTATE', status: 'QUEUED', attempts: 0, startedAt: null, finishedAt: null },
    },
    errors: ['GRANT_NOT_FOUND', 'GRANT_NOT_ACTIVE', 'CREDENTIAL_ALREADY_READ', 'CREDENTIAL_BEING_REISSUED'],
    handle: async ({ services, params, options }) => jobJson(await services.provisioner.reissueCredential({ grantId: params.id }, options)),
  }),
];
