import { hkdfSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { createMinter, processPrincipal } from '@accessops/authn';
import { createAuthorizer, lookAtPolicies, patienceMs } from '@accessops/authz';
import { AppError } from '@accessops/errors';
import { type CallOptions, Metadata } from '@accessops/grpc';
import { type ConfigError, type Logger, lookAtDependencies, openTelemetry, serveMetrics } from '@accessops/telemetry';
import { certificateMetric } from '@accessops/tls';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { JSONWebKeySet } from 'jose';
import { createAccessLog } from './access-log.ts';
import { createAuthenticator } from './authenticate.ts';
import type { GatewayConfig } from './config.ts';
import { createCursors } from './cursor.ts';
import { checkRoutes, type Route } from './define-route.ts';
import { createEventStreams } from './event-streams.ts';
import { createExchanges } from './exchange.ts';
import { createBrowserSessions } from './front-door/browser-session.ts';
import { createClientAddress } from './front-door/client-address.ts';
import { allowOrigins } from './front-door/cross-origin.ts';
import { openLimitStore } from './front-door/limit-store.ts';
import { createLimits, noLimits } from './front-door/limits.ts';
import { createLoginThrottle, noThrottle } from './front-door/login-throttle.ts';
import { securityHeaders } from './front-door/security-headers.ts';
import { createHealthCheck } from './health.ts';
import { createIdempotencyReader } from './idempotency.ts';
import { startInvalidation } from './invalidation.ts';
import { createGatewayMetrics } from './metrics.ts';
import { describeRoute } from './openapi.ts';
import { createPermissionCatalogue } from './permission-catalogue.ts';
import { createPermissions } from './permissions.ts';
import { createCaller, createPrincipals } from './principals.ts';
import { problemResponse, publicError } from './problem.ts';
import { routes as allRoutes } from './routes/index.ts';
import { addOperations } from './routes/operations.ts';
import { createRouteServer, type Env, type RouteParts } from './serve-route.ts';
import { createHttpServer } from './server.ts';
import { connectServices } from './services.ts';

export { configFrom, type GatewayConfig } from './config.ts';

export interface GatewayOverrides {
  log?: Logger;
  /** Other routes than those of the API. */
  routes?: readonly Route[];
  /** What has to have happened before it stops to serve, instead of the configured time, which passes. */
  drained?: () => Promise<unknown>;
  /** How long principals and decisions are remembered while nobody tells of changes, for tests of those who tell. */
  rememberMs?: number;
}

/** A gateway that listens. */
export interface RunningGateway {
  url: string;
  port: number;
  /** host:port of its metrics, where they have a place of their own. */
  metricsAddress: string | undefined;
  /** When a dependency that was not there at the start turns out to be wrong. */
  refused: Promise<ConfigError>;
  /** Says that it is not ready, lets what is under way end, and closes. */
  close(): Promise<void>;
}

// Less than the second in which a lost session, role or tenant has to be refused, while nobody tells of it.
const principalTtlMs = { withEvents: 5000, withoutEvents: 700 };

const subkey = (key: Buffer, purpose: string): Uint8Array => new Uint8Array(hkdfSync('sha256', key, '', purpose, 32));

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Answers what no route takes: 405 where another method would be right, 404 everywhere else. */
const addFallbacks = (
  app: OpenAPIHono<Env>,
  { begin, limits, accessLog, log }: Pick<RouteParts, 'begin' | 'limits' | 'accessLog' | 'log'>,
): void => {
  const record = accessLog.of('unmatched');
  app.notFound(async (c) => {
    const exchange = begin(c.env.incoming);
    try {
      await limits.countAddress(exchange);
    } catch (error) {
      return problemResponse(publicError(error), exchange);
    }
    const allowed = methods.filter((method) => app.router.match(method, c.req.path)[0].length > 0);
    const error = new AppError(allowed.length > 0 ? 'METHOD_NOT_ALLOWED' : 'ROUTE_NOT_FOUND');
    const allow = allowed.includes('GET') ? ['HEAD', ...allowed] : allowed;
    exchange.outcome = error.code;
    record(exchange, error.httpStatus);
    return problemResponse(error, exchange, allowed.length > 0 ? { allow: allow.join(', ') } : {});
  });
  app.onError((error, c) => {
    const exchange = begin(c.env.incoming);
    log.error({ err: error, request_id: exchange.requestId }, 'request failed');
    return problemResponse(publicError(error), exchange);
  });
};

/** Starts the gateway: everything between HTTP and the services. It serves without any of them, and says so with 503. */
export const startGateway = async (
  config: GatewayConfig,
  { log: otherLog, routes = allRoutes, drained = () => delay(config.timeouts.drainMs), rememberMs }: GatewayOverrides = {},
): Promise<RunningGateway> => {
  checkRoutes(routes);
  const { registry, observeAnswer, watchCalls, watchDecisions } = createGatewayMetrics();
  const telemetry = await openTelemetry('gateway', config, otherLog);
  const { log, tracer } = telemetry;
  const begin = createExchanges({
    addressOf: createClientAddress(config.trustedProxies),
    headers: await securityHeaders({ https: config.production }),
  });
  const limitStore = await openLimitStore(config.limits && config.redisUrl, config.redisTimeoutMs, log);
  const limits = config.limits ? createLimits(limitStore, config.limits) : noLimits;
  const loginThrottle = config.limits ? createLoginThrottle(limitStore, subkey(config.cursorKey, 'login throttle')) : noThrottle;
  if (!config.limits && config.production) log.warn('ACCESSOPS_RATE_LIMIT=off: passwords can be guessed without limits');
  const { tls } = config;
  const services = connectServices(config.services, { watch: watchCalls, tls });
  const authorizer = createAuthorizer({
    address: config.cerbosAddress,
    tls,
    timeoutMs: config.decisionTimeoutMs,
    ttlMs: rememberMs,
    watch: watchDecisions,
    tracer,
  });
  const stop = new AbortController();
  const { refused } = await lookAtDependencies([lookAtPolicies(authorizer, config.cerbosAddress)], stop.signal).catch((error: unknown) => {
    services.close();
    authorizer.close();
    limitStore.close();
    throw error;
  });
  const minter = await createMinter(config.principalKey);
  const gateway = createCaller(minter, processPrincipal('gateway', 'gateway'));
  const ownOptions = async (): Promise<CallOptions> => {
    const metadata = new Metadata();
    metadata.set('authorization', await gateway.authorization());
    // Identity asks policy too, which may take longer than usual while policies change.
    return { metadata, deadlineMs: Math.max(config.decisionTimeoutMs, authorizer.isPatient() ? patienceMs : 0) };
  };
  const fetchJwks = async () => JSON.parse((await services.identity.getJwks({}, await ownOptions())).jwksJson) as JSONWebKeySet;
  let hearsEvents = () => false;
  const principals = createPrincipals({
    resolve: async (question) => services.identity.resolvePrincipal(question, await ownOptions()),
    resolveApiKey: async (question) => services.identity.resolveApiKey(question, await ownOptions()),
    minter,
    ttlMs: () => (hearsEvents() ? (rememberMs ?? principalTtlMs.withEvents) : principalTtlMs.withoutEvents),
  });
  const invalidation = startInvalidation({ nats: config.nats, tls, namespace: config.namespace, principals, authorizer, log });
  hearsEvents = invalidation.isUp;
  const health = createHealthCheck({ services: config.services, authorizer, tls, isNatsUp: invalidation.isUp, isRedisUp: limitStore.isUp });
  const accessLog = createAccessLog(log, observeAnswer);
  const certificates = tls?.watch(log);
  if (tls) certificateMetric(tls, registry);
  const eventStreams = createEventStreams();

  const app = new OpenAPIHono<Env>();
  const serveRoute = createRouteServer({
    begin,
    limits,
    loginThrottle,
    browserSessions: createBrowserSessions({
      key: subkey(config.cursorKey, 'browser session'),
      origins: [...(config.publicOrigin ? [config.publicOrigin] : []), ...config.corsOrigins],
    }),
    services,
    eventStreams,
    authenticate: createAuthenticator({ issuer: config.issuer, fetchJwks }),
    principals,
    authorizer,
    minter,
    cursors: createCursors(subkey(config.cursorKey, 'cursor')),
    readIdempotencyKey: createIdempotencyReader(subkey(config.cursorKey, 'idempotency')),
    accessLog,
    log,
    permissionsOf: createPermissions(routes, authorizer, principals),
    catalogue: createPermissionCatalogue(routes, authorizer),
    callTimeoutMs: config.callTimeoutMs,
    health: health.check,
    deployment: config.deployment,
    tracer,
  });
  for (const route of routes) {
    app.on(route.method.toUpperCase(), route.path.replaceAll(/\{(\w+)\}/g, ':$1'), serveRoute(route));
    describeRoute(app, route);
  }
  let stopping = false;
  const isStopping = () => stopping;
  addOperations(app, { begin, health, registry: config.metricsListen ? undefined : registry, fetchJwks, isStopping });
  addFallbacks(app, { begin, limits, accessLog, log });

  const server = createHttpServer({
    fetch: allowOrigins(app, config.corsOrigins),
    begin,
    accessLog,
    timeouts: config.timeouts,
    isStopping,
  });
  let inFlight = 0;
  server.on('request', (_request, response) => {
    inFlight++;
    response.once('close', () => inFlight--);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const metrics = config.metricsListen ? await serveMetrics(registry, config.metricsListen) : undefined;
  log.info({ host: config.host, port }, 'listening');

  return {
    url: `http://${config.host}:${port}`,
    port,
    metricsAddress: metrics?.address,
    refused,
    close: async () => {
      stopping = true;
      stop.abort();
      // Those who ask before they send have time to see that it is not ready any more.
      await drained();
      eventStreams.close();
      // What has arrived meanwhile is read first: a connection with an unread request is not idle.
      await setImmediate();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const givesUpAt = Date.now() + 10_000;
      // A connection that has not asked anything yet (browsers open some in advance) does not count as idle.
      const sweep = setInterval(() => {
        if (inFlight === 0 || Date.now() > givesUpAt) server.closeAllConnections();
      }, 20);
      await closed;
      clearInterval(sweep);
      await metrics?.close();
      await invalidation.close();
      health.close();
      services.close();
      authorizer.close();
      limitStore.close();
      certificates?.close();
      await telemetry.close();
    },
  };
};
