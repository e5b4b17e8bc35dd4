import { AppError, type Code, codes, kinds } from '@accessops/errors';
import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import { z } from '@hono/zod-openapi';
import type { Route } from './define-route.ts';
import { exampleId } from './fields.ts';
import { takesIfMatch } from './if-match.ts';
import { type FieldType, type ListDeclaration, operatorsOf, sortableOf } from './list-query.ts';
import { problemOf } from './problem.ts';
import type { Env } from './serve-route.ts';
import { readsTenants } from './support-read.ts';

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description?: string;
  style?: 'deepObject';
  explode?: boolean;
  schema: Record<string, unknown>;
  example?: unknown;
}
type Responses = RouteConfig['responses'];

export const problemSchema = z
  .object({
    type: z.string().openapi({ description: 'Where the code is described; a reference relative to this document.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().openapi({ description: 'Path of the call.' }),
    requestId: z.string().openapi({ description: 'The X-Request-Id of the call.' }),
    error: z.object({ code: z.string(), message: z.string() }),
    errors: z
      .array(z.object({ pointer: z.string().openapi({ description: 'JSON pointer (RFC 6901) into the body.' }), message: z.string() }))
      .optional()
      .openapi({ description: 'With status 422: the fields that are wrong.' }),
  })
  .catchall(z.unknown())
  .openapi('Problem', { description: 'RFC 9457 problem details.' });

/** Codes that any route of the kind can answer with. */
const commonCodes = ({ audience, platformOnly, path, body, rawBody, list, method, browser, idempotent = true }: Route): Code[] => [
  ...(browser ? (['CSRF_REFUSED'] as const) : []),
  ...(audience === 'public'
    ? []
    : (['INVALID_TOKEN', 'INVALID_API_KEY', 'SESSION_ENDED', 'AUDIENCE_NOT_ALLOWED', 'TENANT_SUSPENDED', 'TENANT_REQUIRED'] as const)),
  'PERMISSION_DENIED',
  ...(readsTenants({ method, audience, platformOnly }) ? (['ACCESS_REASON_REQUIRED'] as const) : []),
  ...(audience !== 'public' && method !== 'get' ? (['INSUFFICIENT_AUTHENTICATION', 'MFA_ENROLMENT_REQUIRED'] as const) : []),
  ...(path.includes('{') || list ? (['INVALID_PARAMETER'] as const) : []),
  ...(list ? (['INVALID_FILTER'] as const) : []),
  ...(list && (list.paged ?? true) ? (['INVALID_CURSOR'] as const) : []),
  ...(rawBody ? (['MALFORMED_JSON', 'BODY_TOO_LARGE'] as const) : []),
  ...(body ? (['MALFORMED_JSON', 'NOT_JSON', 'BODY_TOO_LARGE', 'INVALID_FIELDS'] as const) : []),
  ...(method !== 'get' && idempotent ? (['INVALID_HEADER', 'IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_IN_PROGRESS'] as const) : []),
  ...(takesIfMatch({ method }) ? (['INVALID_HEADER', 'PRECONDITION_FAILED'] as const) : []),
  'TOO_MANY_REQUESTS',
  'INTERNAL_ERROR',
  'DEPENDENCY_UNAVAILABLE',
];

const problemExample = (code: Code) => {
  const fields = code === 'INVALID_FIELDS' ? [{ pointer: '/name', message: 'is required' }] : [];
  return problemOf(new AppError(code, undefined, { fields }), { path: '/api/v1/…', requestId: exampleId });
};

const problemResponses = (route: Route): Responses => {
  const byStatus = new Map<number, Code[]>();
  for (const code of new Set([...commonCodes(route), ...(route.errors ?? [])])) {
    const status = kinds[codes[code].kind].http;
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, found]) => [
      String(status),
      {
        description: found.map((code) => `\`${code}\``).join(', '),
        content: {
          'application/problem+json': {
            schema: problemSchema,
            examples: Object.fromEntries(found.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
          },
        },
      },
    ]),
  );
};

const valueSchemas: Record<FieldType, { type: 'string' | 'integer' | 'boolean'; format?: string }> = {
  uuid: { type: 'string', format: 'uuid' },
  text: { type: 'string' },
  time: { type: 'string', format: 'date-time' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  choice: { type: 'string' },
  'text-list': { type: 'string' },
};

const filterParameter = (field: string, type: FieldType): Parameter => ({
  name: `filter[${field}]`,
  in: 'query',
  style: 'deepObject',
  explode: true,
  description: `Conditions on \`${field}\`: \`filter[${field}][op]=value\`. \`in\` takes values separated by commas${type === 'text' ? '; `like` takes `%` for any characters' : ''}.`,
  schema: {
    type: 'object',
    properties: Object.fromEntries(
      operatorsOf[type].map((operator) => [operator, operator === 'in' || operator === 'like' ? { type: 'string' } : valueSchemas[type]]),
    ),
    additionalProperties: false,
  },
});

const listParameters = (list: ListDeclaration): Parameter[] => {
  const sortable = sortableOf(list);
  const paging: Parameter[] = [
    {
      name: 'limit',
      in: 'query',
      description: 'How many items a page has at most; more than 200 means 200.',
      schema: { type: 'integer', minimum: 1, default: 50 },
    },
    { name: 'cursor', in: 'query', description: '`nextCursor` of the page before.', schema: { type: 'string' } },
    {
      name: 'sort',
      in: 'query',
      description: `Fields separated by commas, each with \`-\` in front for descending order. By default \`${list.defaultSort}\`. Fields: ${sortable.map((field) => `\`${field}\``).join(', ')}.`,
      schema: { type: 'string', pattern: `^-?(${sortable.join('|')})(,-?(${sortable.join('|')}))*$` },
      example: list.defaultSort,
    },
  ];
  return [...((list.paged ?? true) ? paging : []), ...Object.entries(list.fields).map(([field, type]) => filterParameter(field, type))];
};

const headerParameters = ({ audience, platformOnly, method, browser, idempotent = true }: Route): Parameter[] => [
  ...(readsTenants({ method, audience, platformOnly })
    ? ([
        {
          name: 'X-Access-Reason',
          in: 'header',
          description: 'Why support reads this: it is demanded of `platform-support`, and the audit log keeps it.',
          schema: { type: 'string', minLength: 3, maxLength: 500 },
          example: 'INC-4711: requests of this tenant do not get through',
        },
      ] as const)
    : []),
  ...(browser
    ? ([
        {
          name: 'X-CSRF-Protection',
          in: 'header',
          required: true,
          description: 'Anything: pages of other sites cannot send it.',
          schema: { type: 'string', minLength: 1 },
          example: '1',
        },
      ] as const)
    : []),
  ...(audience === 'public'
    ? []
    : ([
        {
          name: 'X-Tenant',
          in: 'header',
          description: 'Slug of the tenant to act in, for somebody who belongs to several.',
          schema: { type: 'string', pattern: '^[a-z0-9-]{1,63}$' },
        },
      ] as const)),
  ...(method !== 'get' && idempotent
    ? ([
        {
          name: 'Idempotency-Key',
          in: 'header',
          description:
            'Makes the call safe to repeat: the same key and body get the first answer again, with `Idempotency-Replayed: true`.',
          schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[ -~]+$' },
        },
      ] as const)
    : []),
  ...(takesIfMatch({ method })
    ? ([
        {
          name: 'If-Match',
          in: 'header',
          description:
            'The `ETag` that was read: nothing is changed when it is no longer the current one. Refused where there is no `ETag`.',
          schema: { type: 'string' },
          example: 'W/"3"',
        },
      ] as const)
    : []),
];

const parametersOf = (route: Route): Parameter[] => [
  ...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path' as const,
    required: true,
    ...(route.keys && Object.hasOwn(route.keys, name)
      ? { schema: { type: 'string' as const, minLength: 1, maxLength: 100 }, example: route.keys[name] }
      : { schema: { type: 'string' as const, format: 'uuid' }, example: exampleId }),
  })),
  ...(route.list ? listParameters(route.list) : []),
  ...Object.entries(route.choices ?? {}).map(([name, values]) => ({
    name,
    in: 'query' as const,
    schema: { type: 'string', enum: [...values], default: values[0] },
  })),
  ...headerParameters(route),
];

const answerHeaders = ({ method, answer, idempotent = true }: Route) => ({
  'X-Request-Id': { description: 'The id sent, or a new one.', schema: { type: 'string' as const } },
  'RateLimit-Policy': { description: 'How many calls (`q`) in how many seconds (`w`).', schema: { type: 'string' as const } },
  RateLimit: {
    description: 'How many calls remain (`r`), and in how many seconds all are there again (`t`).',
    schema: { type: 'string' as const },
  },
  ...(answer.etag ? { ETag: { description: 'Version of the resource.', schema: { type: 'string' as const } } } : {}),
  ...(method !== 'get' && idempotent
    ? {
        'Idempotency-Replayed': {
          description: '`true` for the answer to an earlier call.',
          schema: { type: 'string' as const, enum: ['true'] },
        },
      }
    : {}),
});

const contentOf = ({ schema, example, media }: Route['answer']) => {
  if (media) return Object.fromEntries(Object.entries(media).map(([type, sample]) => [type, { schema: z.string(), example: sample }]));
  return schema ? { 'application/json': { schema, example } } : undefined;
};

/** Writes a route into the document. */
export const describeRoute = (app: OpenAPIHono<Env>, route: Route): void => {
  const { method, path, operationId, tag, summary, description, audience, cerbos, rawBody, answer } = route;
  const body = route.body ?? (rawBody && { ...rawBody, optional: false });
  const content = contentOf(answer);
  const who =
    audience === 'public'
      ? 'Anybody may call this.'
      : `Needs a token for ${audience === 'session' ? 'any audience' : `the audience \`accessops-${audience}\``} and the permission \`${cerbos.resource}:${cerbos.action}\`.`;
  app.openAPIRegistry.registerPath({
    method,
    path,
    operationId,
    tags: [tag],
    summary,
    description: description ? `${description}\n\n${who}` : who,
    security: audience === 'public' ? [] : [{ bearer: [] }],
    parameters: parametersOf(route) as RouteConfig['parameters'],
    ...(body
      ? { request: { body: { required: !body.optional, content: { 'application/json': { schema: body.schema, example: body.example } } } } }
      : {}),
    responses: {
      [String(answer.status)]: { description: answer.description, headers: answerHeaders(route), ...(content ? { content } : {}) },
      ...problemResponses(route),
    },
  });
};

const tags: [name: string, description: string][] = [
  ['Session', 'Signing up, in and out'],
  ['Me', 'The caller'],
  ['Catalog', 'What can be asked for'],
  ['Requests', 'Asking for access'],
  ['Approvals', 'Deciding on requests'],
  ['Grants', 'Access that is there'],
  ['Jobs', 'Provisioning'],
  ['Organisation', 'The tenant and its people, for its admins'],
  ['Roles', 'Custom roles, and what can be in one'],
  ['Service accounts', 'Machines that call the API, and their keys'],
  ['Org catalog', 'Resource types and resources, for admins and managers'],
  ['Org operations', 'Jobs and grants of the tenant'],
  ['Reports', 'Files about what happened in the tenant'],
  ['Configuration', 'Settings, feature flags and the license of the tenant'],
  ['Webhooks', 'For other systems that tell of something'],
  ['Audit', 'What happened'],
  ['Platform', 'All tenants, for platform staff'],
  ['Operations', 'Health, metrics and documents'],
];

/** The OpenAPI 3.1 document of everything described so far. */
export const openApiDocument = (app: OpenAPIHono<Env>) => {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The `accessToken` of `POST /api/v1/auth/login`, or the `key` of a service account.',
  });
  for (const code of Object.keys(codes) as Code[])
    app.openAPIRegistry.registerComponent('examples', code, { summary: codes[code].meaning, value: problemExample(code) });
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'AccessOps',
      version: '1.0.0',
      description:
        'Self-service access: who may use what, who said so, and is it gone again when it should be.\n\nErrors are `application/problem+json` (RFC 9457); all codes stand at `/docs/errors`.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    tags: tags.map(([name, description]) => ({ name, description })),
  });
};
