import type { IncomingMessage } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { type AccessTokenClaims, anonymous, type Principal, type PrincipalMinter } from '@accessops/authn';
import { type Authorizer, assertAllowed, patienceMs, type Question } from '@accessops/authz';
import { AppError, type FieldViolation } from '@accessops/errors';
import { type CallOptions, Metadata } from '@accessops/grpc';
import type { Deployment, Health, Logger, Tracer } from '@accessops/telemetry';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { z } from 'zod';
import type { AccessLog } from './access-log.ts';
import type { Authenticate, Credentials } from './authenticate.ts';
import type { Cursors } from './cursor.ts';
import type { Audience, ListPage, Route, RouteCall } from './define-route.ts';
import type { EventStreams } from './event-streams.ts';
import type { BeginExchange, Exchange } from './exchange.ts';
import { isUuid } from './fields.ts';
import type { BrowserSessions } from './front-door/browser-session.ts';
import type { Limits } from './front-door/limits.ts';
import type { LoginThrottle } from './front-door/login-throttle.ts';
import type { ReadIdempotencyKey } from './idempotency.ts';
import { parseIfMatch, takesIfMatch } from './if-match.ts';
import { maxViolations, pointerMember, readBytes, readJson } from './json.ts';
import { type ListRequest, parseListQuery } from './list-query.ts';
import type { PermissionCatalogue } from './permission-catalogue.ts';
import { type Caller, createCaller, type Principals } from './principals.ts';
import { problemResponse, publicError } from './problem.ts';
import type { Services } from './services.ts';
import { isSupport, readsTenants, supportReadsOf } from './support-read.ts';
import { endExchange, traceExchange } from './trace-exchange.ts';

export type Env = { Bindings: HttpBindings };

export interface RouteParts {
  begin: BeginExchange;
  limits: Limits;
  browserSessions: BrowserSessions;
  loginThrottle: LoginThrottle;
  services: Services;
  eventStreams: EventStreams;
  authenticate: Authenticate;
  principals: Principals;
  authorizer: Authorizer;
  minter: PrincipalMinter;
  cursors: Cursors;
  readIdempotencyKey: ReadIdempotencyKey;
  accessLog: AccessLog;
  log: Logger;
  /** What somebody may do in the namespaces of a token. */
  permissionsOf(claims: Credentials, tenant: string): Promise<string[]>;
  catalogue: PermissionCatalogue;
  /** How long services have for a route that does not say so itself. */
  callTimeoutMs: number;
  health(): Promise<Health>;
  deployment: Deployment;
  tracer: Tracer | undefined;
}

// Nobody waits for a job that long; its stream would go on where it was.
const streamDeadlineMs = 3_600_000;

const strongestFirst = ['admin', 'org-admin', 'app'] as const;

/** The audience a principal has in a namespace: the strongest of the token that fits it. Errors: AUDIENCE_NOT_ALLOWED. */
export const audienceFor = ({ aud }: AccessTokenClaims, namespace: Exclude<Audience, 'public'>): Principal['audience'] => {
  if (namespace === 'session') return strongestFirst.find((name) => aud.includes(`accessops-${name}`)) ?? 'public';
  if (!aud.includes(`accessops-${namespace}`))
    throw new AppError('AUDIENCE_NOT_ALLOWED', `This needs a token for the audience accessops-${namespace}`);
  return namespace === 'app' && aud.includes('accessops-org-admin') ? 'org-admin' : namespace;
};

const slug = /^[a-z0-9-]{1,63}$/;

/** The tenant named by X-Tenant; empty without one. Errors: INVALID_HEADER. */
export const tenantHeader = ({ headers }: IncomingMessage): string => {
  const tenant = headers['x-tenant'];
  if (tenant === undefined) return '';
  if (typeof tenant !== 'string' || !slug.test(tenant)) throw new AppError('INVALID_HEADER', 'X-Tenant must be the slug of a tenant');
  return tenant;
};

const maxKeyLength = 100;

const paramsOf = (c: Context<Env>, names: readonly string[], keys: Route['keys'] = {}): Record<string, string> => {
  const params: Record<string, string> = {};
  for (const name of names) {
    const value = c.req.param(name) ?? '';
    if (Object.hasOwn(keys, name)) {
      if (value.length > maxKeyLength || value.includes('\0')) throw new AppError('INVALID_PARAMETER', `${name} is no name`);
      params[name] = value;
      continue;
    }
    if (!isUuid(value)) throw new AppError('INVALID_PARAMETER', `${name} must be a UUID`);
    params[name] = value.toLowerCase();
  }
  return params;
};

const nameRequired: z.core.$ZodErrorMap = ({ input }) => (input === undefined ? 'is required' : undefined);

const violationsOf = (issues: readonly z.core.$ZodIssue[]): FieldViolation[] =>
  issues.flatMap((issue) => {
    const pointer = issue.path.map((part) => pointerMember(String(part))).join('');
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ pointer: pointer + pointerMember(key), message: 'is not a field of this' }))
      : [{ pointer, message: issue.message }];
  });

/** A body that fits its schema. Errors: INVALID_FIELDS, naming each field. */
export const parseBody = <Body>(schema: z.ZodType<Body>, body: unknown): Body => {
  const result = schema.safeParse(body, { error: nameRequired });
  if (result.success) return result.data;
  throw new AppError('INVALID_FIELDS', undefined, { fields: violationsOf(result.error.issues).slice(0, maxViolations) });
};

const chosenOf = (choices: Record<string, readonly string[]>, given: [string, string][]): Record<string, string> => {
  const chosen: Record<string, string> = {};
  for (const [name, values] of Object.entries(choices)) chosen[name] = values[0] ?? '';
  for (const [name, value] of given) {
    const values = Object.hasOwn(choices, name) ? choices[name] : undefined;
    if (!values) throw new AppError('INVALID_PARAMETER', `There is no parameter ${name.slice(0, 100)}`);
    if (!values.includes(value)) throw new AppError('INVALID_PARAMETER', `${name} must be one of ${values.join(', ')}`);
    chosen[name] = value;
  }
  return chosen;
};

const metadataOf = (incoming: IncomingMessage, exchange: Exchange, authorization: string): Metadata => {
  const metadata = new Metadata();
  metadata.set('authorization', authorization);
  metadata.set('x-request-id', exchange.requestId);
  metadata.set('traceparent', exchange.traceparent);
  metadata.set('x-client-ip', exchange.address);
  const agent = incoming.headers['user-agent'];
  if (agent) metadata.set('x-user-agent', encodeURIComponent(agent.slice(0, 512)));
  return metadata;
};

const noBrowserHere = (): never => {
  throw new Error('This route is not declared for browsers');
};
const noBrowser: RouteCall<unknown>['browser'] = { refreshToken: noBrowserHere, keep: noBrowserHere, forget: noBrowserHere };

const noBytes = Buffer.alloc(0);
const nothing: Readonly<Record<string, string>> = Object.freeze({});

/** The HTTP handler of a route: identifies, decides, validates, calls, answers and records, in this order. */
export const createRouteServer = (parts: RouteParts) => {
  const { services, authenticate, principals, authorizer, cursors, readIdempotencyKey, accessLog, log, limits, browserSessions } = parts;
  const stranger = createCaller(parts.minter, anonymous);
  /** A token that is not good, or not any more, counts against the address it comes from. */
  const countStranger = (exchange: Exchange) => async (error: unknown) => {
    await limits.countAddress(exchange);
    throw error;
  };

  const browserOf = ({ headers }: IncomingMessage, exchange: Exchange): RouteCall<unknown>['browser'] => ({
    refreshToken: () => browserSessions.refreshTokenOf(headers),
    keep: async (refreshToken, seconds) => {
      exchange.headers['set-cookie'] = await browserSessions.keep(refreshToken, seconds);
    },
    forget: () => {
      exchange.headers['set-cookie'] = browserSessions.forget;
    },
  });

  return (route: Route): ((c: Context<Env>) => Promise<Response>) => {
    const { audience, body: declaredBody, list, choices, answer } = route;
    const record = accessLog.of(route.path);
    const question: Question = { kind: route.cerbos.resource, action: route.cerbos.action, version: 'route' };
    const paramNames = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const deadlineMs = route.deadlineMs ?? parts.callTimeoutMs;
    const isWatched = readsTenants(route);
    const idempotent = route.method !== 'get' && (route.idempotent ?? true);

    const respond = (value: unknown, exchange: Exchange, replayed: boolean, scope: string): Response => {
      const { headers } = exchange;
      if (replayed) headers['idempotency-replayed'] = 'true';
      if (answer.status === 204) return new Response(null, { status: 204, headers });
      headers['content-type'] = 'application/json';
      if (answer.etag) {
        const { version } = value as { version?: unknown };
        if (typeof version === 'number') headers.etag = `W/"${version}"`;
      }
      const page = value as ListPage;
      const body = list ? { items: page.items, nextCursor: page.next ? cursors.seal(scope, page.next) : null } : value;
      return new Response(JSON.stringify(body), { status: answer.status, headers });
    };

    const serve = async (c: Context<Env>, incoming: IncomingMessage, exchange: Exchange): Promise<Response> => {
      let caller: Caller = stranger;
      let claims: Credentials | undefined;
      let tenant = '';
      if (route.browser) browserSessions.requireOwnPage(incoming.headers);
      if (audience !== 'public') {
        claims = await authenticate(incoming.headers.authorization).catch(countStranger(exchange));
        exchange.actor = claims.sub;
        const strongest = audienceFor(claims, audience);
        tenant = tenantHeader(incoming) || (route.anyTenant ? '*' : '');
        const found = principals.callerOf(claims, tenant, strongest);
        caller = found instanceof Promise ? await found.catch(countStranger(exchange)) : found;
        const counting = limits.countCaller(exchange, caller.principal);
        if (counting) await counting;
      } else {
        await limits.countAddress(exchange);
      }
      const { principal } = caller;
      exchange.actor = principal.id;
      exchange.tenant = principal.tenantId ?? '';
      const decision = await authorizer.decide(principal, question, exchange.traceparent);
      exchange.decisionId = decision.decisionId;
      exchange.policyVersion = decision.policyVersion;
      assertAllowed(principal, decision);

      const params = paramNames.length > 0 ? paramsOf(c, paramNames, route.keys) : nothing;
      const scope = list ? `${route.operationId} ${principal.tenantId} ${principal.id}` : '';
      let asked: ListRequest | undefined;
      if (list) asked = parseListQuery(exchange.search, list);
      const chosen = asked ? chosenOf(choices ?? {}, asked.others) : nothing;
      const query = asked
        ? {
            limit: list?.paged === false ? 0 : asked.limit,
            after: asked.cursor && cursors.open(scope, asked.cursor),
            sort: asked.sort,
            filters: asked.filters,
          }
        : {};
      const body = declaredBody && parseBody(declaredBody.schema, await readJson(incoming, declaredBody.optional));
      const raw = route.rawBody ? await readBytes(incoming) : noBytes;

      const authorization = caller.authorization();
      const metadata = metadataOf(incoming, exchange, typeof authorization === 'string' ? authorization : await authorization);
      // Services ask policy too.
      const patience = authorizer.isPatient() ? patienceMs : 0;
      const options: CallOptions = { metadata, deadlineMs: Math.max(deadlineMs, patience), tracer: parts.tracer };
      const ifMatch = route.method === 'get' ? undefined : headerOf(incoming, 'if-match');
      if (ifMatch !== undefined) {
        if (!takesIfMatch(route)) throw new AppError('INVALID_HEADER', 'If-Match is for PATCH, PUT and DELETE');
        metadata.set('if-match', parseIfMatch(ifMatch));
      }
      const isSame = async (before: Principal): Promise<boolean> => {
        const now = await principals.callerOf(await authenticate(incoming.headers.authorization), tenant, before.audience);
        assertAllowed(now.principal, await authorizer.decide(now.principal, question));
        return isDeepStrictEqual(now.principal, before);
      };
      let replayed = false;
      const key = idempotent && readIdempotencyKey(headerOf(incoming, 'idempotency-key'), exchange.method, exchange.path, body ?? null);
      if (key) {
        metadata.set('idempotency-key', key.key);
        metadata.set('idempotency-fingerprint', key.fingerprint);
        options.onTrailer = (trailer) => {
          replayed ||= trailer.get('idempotency-replayed')[0] === 'true';
        };
      }
      const call: RouteCall<unknown> = {
        services,
        principal,
        claims,
        params,
        body,
        raw,
        header: (name) => singleHeader(incoming, name),
        query,
        chosen,
        options,
        browser: route.browser ? browserOf(incoming, exchange) : noBrowser,
        attempt: (account, check) => parts.loginThrottle.attempt(account, exchange.address, check),
        stream: (events) =>
          parts.eventStreams.open({
            owner: principal.id,
            lastEventId: singleHeader(incoming, 'last-event-id'),
            isStillAllowed: () => isSame(principal),
            events: (signal) => events({ ...options, deadlineMs: streamDeadlineMs, signal }),
          }),
        outputs: decision.outputs,
        permissions: () => (claims ? parts.permissionsOf(claims, tenant) : Promise.resolve([])),
        catalogue: parts.catalogue,
        health: parts.health,
        deployment: parts.deployment,
      };
      // Before it is answered, not after: what cannot be recorded is not read.
      if (isWatched && isSupport(principal)) {
        const reads = supportReadsOf(route, params, asked?.filters ?? [], call.header('x-access-reason'));
        await Promise.all(reads.map((read) => services.identity.recordSupportRead(read, options))).catch(ownFault);
      }
      const value = await route.handle(call).catch(ownFault);
      if (!(value instanceof Response)) return respond(value, exchange, replayed, scope);
      for (const [name, content] of Object.entries(exchange.headers)) value.headers.set(name, content);
      if (exchange.method !== 'HEAD') return value;
      await value.body?.cancel();
      return new Response(null, value);
    };

    return async (c) => {
      const { incoming } = c.env;
      const exchange = parts.begin(incoming);
      const span = traceExchange(parts.tracer, exchange, route.path);
      let response: Response;
      try {
        response = await serve(c, incoming, exchange);
      } catch (error) {
        const known = publicError(error);
        exchange.outcome = known.code;
        if (known.kind === 'internal' || known.kind === 'unavailable')
          log.error(
            { err: error, request_id: exchange.requestId, trace_id: exchange.traceId, tenant: exchange.tenant, route: route.path },
            'request failed',
          );
        response = problemResponse(known, exchange);
      }
      record(exchange, response.status);
      if (span) endExchange(span, exchange, response.status);
      return response;
    };
  };
};

const headerOf = ({ headers }: IncomingMessage, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

const singleHeader = ({ headers }: IncomingMessage, name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
};

/** A service that refuses the principal token refuses us, not the caller, whose own token was found good. */
const ownFault = (error: unknown): never => {
  if (error instanceof AppError && error.code === 'INVALID_TOKEN') throw new AppError('INTERNAL_ERROR', undefined, { cause: error });
  throw error;
};
