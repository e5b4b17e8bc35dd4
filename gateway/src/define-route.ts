import type { AccessTokenClaims, Principal } from '@accessops/authn';
import type { Code } from '@accessops/errors';
import type { CallOptions } from '@accessops/grpc';
import type { ListQuerySchema } from '@accessops/proto/accessops/common/v1/common_pb';
import type { Deployment, Health } from '@accessops/telemetry';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { z } from '@hono/zod-openapi';
import type { StreamedEvent } from './event-streams.ts';
import type { ListDeclaration } from './list-query.ts';
import type { PermissionCatalogue } from './permission-catalogue.ts';
import type { Services } from './services.ts';

/** Who may come at all: nobody in particular, who has a token for any of the three namespaces, or for a certain one. */
export const audiences = ['public', 'session', 'app', 'org-admin', 'admin'] as const;

export type Audience = (typeof audiences)[number];

/** What a handler works with. */
export interface RouteCall<Body> {
  services: Services;
  principal: Principal;
  /** Unset on public routes. */
  claims?: AccessTokenClaims;
  /** By their names in the path: UUIDs in lower case, and `keys` as they came. */
  params: Readonly<Record<string, string>>;
  body: Body;
  /** The bytes of a `rawBody`; empty without one. */
  raw: Buffer;
  /** A header that came once; empty otherwise. */
  header(name: string): string;
  /** What a list was asked for. */
  query: MessageInitShape<typeof ListQuerySchema>;
  /** Values of `choices`. */
  chosen: Readonly<Record<string, string>>;
  /** Metadata and deadline of the one gRPC call. */
  options: CallOptions;
  /** What the browser keeps; only of routes with `browser`. */
  browser: {
    /** Errors: INVALID_REFRESH_TOKEN. */
    refreshToken(): Promise<string>;
    keep(refreshToken: string, seconds: number): Promise<void>;
    forget(): void;
  };
  /** Has a password for an account looked at; see `LoginThrottle`. */
  attempt<T>(account: string, check: () => Promise<T>): Promise<T>;
  /** Answers server-sent events for as long as the caller may call the route: a gRPC stream, turned into events. */
  stream(events: (options: CallOptions) => AsyncIterable<StreamedEvent>): Promise<Response>;
  /** What the policy has put out with its answer about the route. */
  outputs: readonly unknown[];
  /** What the caller may do, as `resource:action`. */
  permissions(): Promise<string[]>;
  /** What can be given. */
  catalogue: PermissionCatalogue;
  /** The state of everything the gateway depends on. */
  health(): Promise<Health>;
  /** The gateway itself. */
  deployment: Deployment;
}

export interface JsonBody<Body> {
  schema: z.ZodType<Body>;
  example: unknown;
  /** An empty body counts as `{}`. */
  optional?: boolean;
}

/** The body of an action that has to be told nothing. */
export const noBody = { schema: z.strictObject({}), example: {}, optional: true };

export interface Answer {
  status: 200 | 201 | 202 | 204;
  description: string;
  /** Of a JSON answer; for the document. */
  schema?: z.ZodType;
  example?: unknown;
  /** Media types other than JSON, each with an example. */
  media?: Record<string, string>;
  /** Whether `version` of the answer becomes its ETag. */
  etag?: boolean;
}

/** One route, declared whole: nothing is served that is not. */
export interface Route<Body = unknown> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With its prefix and its parameters in braces: `/api/v1/requests/{id}`; every parameter that is not among `keys` is a UUID. */
  path: string;
  operationId: string;
  tag: string;
  summary: string;
  description?: string;
  audience: Audience;
  /** What Cerbos is asked about the route. */
  cerbos: { resource: string; action: string };
  /** In the platform's namespace: tells nothing of any tenant, so that support may read it without a reason. */
  platformOnly?: boolean;
  /** Concerns the caller alone: somebody of several tenants need not name one. */
  anyTenant?: boolean;
  body?: JsonBody<Body>;
  /** A JSON body that is handed over byte by byte, because a signature is made over it. */
  rawBody?: { schema: z.ZodType; example: unknown };
  /** Path parameters that are names, each with an example. */
  keys?: Readonly<Record<string, string>>;
  list?: ListDeclaration;
  /** Query parameters with a fixed set of values, the first of which is the default. */
  choices?: Record<string, readonly string[]>;
  answer: Answer;
  /** Codes of this route besides those that all have. */
  errors?: readonly Code[];
  /** False where an Idempotency-Key means nothing: sessions, and what can be read once. */
  idempotent?: boolean;
  /** Whether it is for pages alone and goes by their cookie: then it takes no requests that other sites have forged. */
  browser?: boolean;
  /** How long the services have for it; without it as long as is configured (`CALL_TIMEOUT_MS`). */
  deadlineMs?: number;
  /** Answers a JSON value, a page of a list, or a Response for whatever is neither. */
  handle(call: RouteCall<Body>): Promise<unknown>;
}

/** A page as the services give it; the cursor is made of `next`. */
export interface ListPage {
  items: unknown[];
  next: string;
}

/** Declares a route. */
export const defineRoute = <Body = undefined>(route: Route<Body>): Route => route;

/** A list route: what it lists, instead of an answer. */
export interface ListRoute extends Omit<Route<undefined>, 'method' | 'answer' | 'list' | 'handle' | 'body'> {
  list: ListDeclaration;
  /** Schema and example of one item. */
  item: { schema: z.ZodType; example: unknown };
  handle(call: RouteCall<undefined>): Promise<ListPage>;
}

/** Declares a route that answers pages of a list. */
export const defineList = ({ item, ...route }: ListRoute): Route =>
  defineRoute({
    ...route,
    method: 'get',
    answer: {
      status: 200,
      description: 'A page of the list.',
      schema: z.object({
        items: z.array(item.schema),
        nextCursor: z.string().nullable().openapi({ description: 'Where the next page starts; null on the last one.' }),
      }),
      example: { items: [item.example], nextCursor: null },
    },
  });

/** The page of a service's answer, each of its items turned into JSON. */
export const pageOf = <Item>({ items, page }: { items: Item[]; page?: { next: string } }, toJson: (item: Item) => unknown): ListPage => ({
  items: items.map(toJson),
  next: page?.next ?? '',
});

const prefixes: Record<Audience, RegExp> = {
  public: /^\/(?:api\/v1\/auth|webhooks)\//,
  session: /^\/api\/v1\/auth\//,
  app: /^\/api\/v1\/(?!auth\/|org\/|admin\/)/,
  'org-admin': /^\/api\/v1\/org\//,
  admin: /^\/api\/v1\/admin\//,
};

const wrongWith = (route: Route): string | undefined => {
  if (!audiences.includes(route.audience)) return 'names no audience';
  if (!route.cerbos?.resource || !route.cerbos.action) return 'names no Cerbos resource and action';
  if (!prefixes[route.audience].test(route.path)) return `is outside the namespace of its audience ${route.audience}`;
  if (!route.operationId || !route.summary || !route.tag) return 'has no operationId, summary or tag';
  if (route.body && route.body.example === undefined) return 'has a body without an example';
  if (route.answer.schema && route.answer.example === undefined) return 'has an answer without an example';
  return undefined;
};

/** Checks that every route declares all it has to, and that none is there twice; throws an Error that names the first which does not. */
export const checkRoutes = (routes: readonly Route[]): void => {
  const known = new Set<string>();
  for (const route of routes) {
    const label = `${route.method?.toUpperCase()} ${route.path}`;
    const wrong = wrongWith(route);
    if (wrong) throw new Error(`The route ${label} ${wrong}`);
    for (const name of [label, route.operationId]) {
      if (known.has(name)) throw new Error(`The route ${label} is declared twice`);
      known.add(name);
    }
  }
};
