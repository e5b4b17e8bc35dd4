import type { OpenAPIHono } from '@hono/zod-openapi';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import type { Env } from '../serve-route.ts';

type Fetch = (request: Request, env: Env['Bindings']) => Response | Promise<Response>;

/**
 * The same app for pages of the origins that are allowed; all other pages cannot read what it answers. Requests without an `Origin`, which
 * are all but those of browsers, do not pass through here.
 */
export const allowOrigins = (app: OpenAPIHono<Env>, origins: readonly string[]): Fetch => {
  if (origins.length === 0) return app.fetch;
  const door = new Hono<Env>();
  door.use(
    cors({
      origin: [...origins],
      allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowHeaders: [
        'Authorization',
        'Content-Type',
        'If-Match',
        'Idempotency-Key',
        'X-Tenant',
        'X-Access-Reason',
        'Last-Event-ID',
        'X-Request-Id',
        'Traceparent',
        'X-CSRF-Protection',
      ],
      exposeHeaders: [
        'ETag',
        'WWW-Authenticate',
        'Retry-After',
        'RateLimit',
        'RateLimit-Policy',
        'X-Request-Id',
        'Idempotency-Replayed',
        'Content-Disposition',
      ],
      credentials: true,
      maxAge: 600,
    }),
  );
  door.all('*', (c) => app.fetch(c.req.raw, c.env));
  return (request, env) => (env.incoming.headers.origin === undefined ? app.fetch(request, env) : door.fetch(request, env));
};
