import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { metricsPage, type Registry } from '@accessops/telemetry';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { BeginExchange } from '../exchange.ts';
import type { HealthCheck } from '../health.ts';
import { openApiDocument, problemSchema } from '../openapi.ts';
import { errorsPage, problemResponse, publicError } from '../problem.ts';
import type { Env } from '../serve-route.ts';

export interface OperationsParts {
  begin: BeginExchange;
  health: HealthCheck;
  /** Unset: metrics are told elsewhere. */
  registry: Registry | undefined;
  /** Public keys of the identity provider, as a JWK set. */
  fetchJwks(): Promise<unknown>;
  isStopping(): boolean;
}

interface Page {
  status: number;
  type: string;
  body: string | ReadableStream;
  headers?: Record<string, string>;
}

const json = (body: unknown, status = 200): Page => ({ status, type: 'application/json', body: JSON.stringify(body) });

// Swagger UI sets styles inline and shows small images of its own; no script but the ones served here runs.
const csp =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const html = (body: string): Page => ({
  status: 200,
  type: 'text/html; charset=utf-8',
  body,
  headers: { 'content-security-policy': csp },
});

const docsPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>AccessOps API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/init.js"></script>
</body>
</html>
`;

const initScript = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n`;

const swaggerFolder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const asset = (name: string, type: string) => (): Page => ({
  status: 200,
  type,
  body: Readable.toWeb(createReadStream(join(swaggerFolder, name))) as ReadableStream,
  headers: { 'cache-control': 'public, max-age=3600' },
});

const healthSchema = z
  .object({ status: z.enum(['ok', 'degraded', 'down']), services: z.record(z.string(), z.enum(['ok', 'down'])) })
  .openapi('Health');

const allUp = { identity: 'ok', requests: 'ok', approvals: 'ok', provisioner: 'ok', audit: 'ok', cerbos: 'ok', nats: 'ok' };

/** What operators and their tools need: outside the API, without a token, and without asking anybody for permission. */
export const addOperations = (app: OpenAPIHono<Env>, { begin, health, registry, fetchJwks, isStopping }: OperationsParts): void => {
  const serve = (make: (c: Context<Env>) => Page | Promise<Page>) => async (c: Context<Env>) => {
    const exchange = begin(c.env.incoming);
    try {
      const { status, type, body, headers } = await make(c);
      return new Response(body, {
        status,
        headers: { ...exchange.headers, 'content-type': type, ...headers },
      });
    } catch (error) {
      return problemResponse(publicError(error), exchange);
    }
  };

  const add = (
    path: string,
    summary: string,
    operationId: string,
    make: (c: Context<Env>) => Page | Promise<Page>,
    content: object,
    down?: object,
  ) => {
    app.get(path, serve(make));
    app.openAPIRegistry.registerPath({
      method: 'get',
      path,
      operationId,
      tags: ['Operations'],
      summary,
      security: [],
      responses: {
        200: { description: 'As asked.', content: { ...content } },
        ...(down ? { 503: { description: 'Something that is needed is down.', content: { ...down } } } : {}),
      },
    });
  };
  const problem = { 'application/problem+json': { schema: problemSchema } };
  const text = { 'text/plain': { schema: z.string() } };

  add(
    '/health',
    'The state of everything the platform is made of',
    'getHealth',
    async () => {
      const found = await health.check();
      return json(found, found.status === 'down' ? 503 : 200);
    },
    { 'application/json': { schema: healthSchema, example: { status: 'ok', services: allUp } } },
    { 'application/json': { schema: healthSchema, example: { status: 'down', services: { ...allUp, identity: 'down' } } } },
  );
  add('/livez', 'Whether the process runs', 'getLive', () => ({ status: 200, type: 'text/plain', body: 'ok' }), text);
  // What goes down later is told by the routes that need it, and by /health: all gateways out of service would help nobody.
  let hasFoundAll = false;
  add(
    '/readyz',
    'Whether calls should be sent here: once all that is needed was found, until it stops',
    'getReady',
    async () => {
      hasFoundAll ||= (await health.check()).status !== 'down';
      const ready = hasFoundAll && !isStopping();
      return { status: ready ? 200 : 503, type: 'text/plain', body: ready ? 'ok' : 'not ready' };
    },
    text,
    text,
  );
  if (registry)
    add(
      '/metrics',
      'Prometheus metrics',
      'getMetrics',
      async (c) => ({ status: 200, ...(await metricsPage(registry, c.req.header('accept'))) }),
      { ...text, 'application/openmetrics-text': { schema: z.string() } },
    );
  add(
    '/.well-known/jwks.json',
    'The keys that access tokens are signed with',
    'getJwks',
    async () => ({ ...json(await fetchJwks()), headers: { 'cache-control': 'public, max-age=30' } }),
    { 'application/json': { schema: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }), example: { keys: [] } } },
    problem,
  );
  let document = '';
  add(
    '/openapi.json',
    'This document',
    'getOpenApi',
    () => {
      document ||= JSON.stringify(openApiDocument(app));
      return { status: 200, type: 'application/json', body: document, headers: { 'cache-control': 'public, max-age=60' } };
    },
    { 'application/json': { schema: z.record(z.string(), z.unknown()), example: { openapi: '3.1.0' } } },
  );
  const page = { 'text/html': { schema: z.string() } };
  add('/docs', 'This document, to read and try', 'getDocs', () => html(docsPage), page);
  add('/docs/errors', 'All error codes', 'getErrorCodes', () => html(errorsPage()), page);
  app.get(
    '/docs/init.js',
    serve(() => ({ status: 200, type: 'text/javascript; charset=utf-8', body: initScript })),
  );
  app.get('/docs/swagger-ui-bundle.js', serve(asset('swagger-ui-bundle.js', 'text/javascript; charset=utf-8')));
  app.get('/docs/swagger-ui.css', serve(asset('swagger-ui.css', 'text/css; charset=utf-8')));
};
