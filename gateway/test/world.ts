import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createLogger } from '@accessops/telemetry';
import {
  createDatabase,
  infrastructure,
  namespace as newNamespace,
  serviceEnvironment,
  type TestDatabase,
  until,
} from '@accessops/testing';
import { expect } from 'vitest';
import { configFrom, type GatewayOverrides, type RunningGateway, startGateway } from '../src/app.ts';
import { type ServiceName, serviceNames } from '../src/config.ts';
import type { Route } from '../src/define-route.ts';
import { routes } from '../src/routes/index.ts';

/** What came back, read whole. */
export interface Answer {
  status: number;
  headers: Record<string, string | undefined>;
  text: string;
  // Tests read many shapes out of answers; each asserts what it relies on.
  body: Record<string, unknown> & { error?: { code?: string }; items?: Item[]; errors?: { pointer: string }[] };
}

export type Item = Record<string, unknown> & { id: string };

export interface CallOptions {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

interface RunningService {
  address: string;
  metricsAddress?: string;
  close(): Promise<void>;
}

const nowhere = '127.0.0.1:9';

/** The environment of a gateway; services that are not named are not there. */
export const gatewayEnvironment = (
  addresses: Partial<Record<ServiceName, string>> = {},
  overrides: Record<string, string> = {},
): Record<string, string> => {
  const { nats, cerbosAddress, keyFiles } = infrastructure();
  return {
    PORT: '0',
    ISSUER: 'http://accessops.test',
    ...Object.fromEntries(serviceNames.map((name) => [`${name.toUpperCase()}_ADDRESS`, addresses[name] ?? nowhere])),
    CERBOS_ADDRESS: cerbosAddress,
    // Several suites share two cores: what is slow for a moment is not down.
    DECISION_TIMEOUT_MS: '30000',
    CALL_TIMEOUT_MS: '30000',
    NATS_URL: nats.url,
    NATS_USER: nats.user,
    NATS_PASSWORD: nats.password,
    PRINCIPAL_KEY_FILE: keyFiles.gatewayPrincipalKey,
    CURSOR_KEY_FILE: keyFiles.cursorKey,
    LOG_LEVEL: 'fatal',
    ACCESSOPS_RATE_LIMIT: 'off',
    ...overrides,
  };
};

/** Principals and decisions are remembered for an hour here: what counts within `toldMs` counts because somebody told of it. */
const rememberMs = 3_600_000;
export const toldMs = 20_000;

/** A gateway in this process. */
export const startTestGateway = (
  addresses?: Partial<Record<ServiceName, string>>,
  overrides?: Record<string, string>,
  more?: GatewayOverrides,
): Promise<RunningGateway> =>
  startGateway(configFrom(gatewayEnvironment(addresses, overrides)), { drained: () => Promise.resolve(), rememberMs, ...more });

const routeOf = (method: string, path: string): Route | undefined =>
  routes.find(
    (route) =>
      route.method === method.toLowerCase() && new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path.split('?')[0] ?? ''),
  );

/** Whatever a route answers must be what it has declared: nothing missing, nothing more. */
const expectDeclared = (method: string, path: string, { status, text, headers }: Answer): void => {
  const route = routeOf(method, path);
  if (!route || status >= 300) return;
  expect(`${method} ${path} ${status}`).toBe(`${method} ${path} ${route.answer.status}`);
  expect(headers['cache-control']).toBe('no-store');
  if (!route.answer.schema) return;
  const body: unknown = JSON.parse(text);
  expect(route.answer.schema.parse(body)).toEqual(body);
};

/** Whatever is not 2xx must be a problem. */
export const expectProblem = ({ status, headers, body }: Answer): void => {
  expect(headers['content-type']).toBe('application/problem+json');
  expect(body).toMatchObject({
    type: `/docs/errors#${body.error?.code}`,
    title: expect.stringMatching(/\w/),
    status,
    detail: expect.any(String),
    instance: expect.stringMatching(/^\//),
    requestId: headers['x-request-id'],
    error: { code: expect.stringMatching(/^[A-Z][A-Z0-9_]+$/), message: expect.any(String) },
  });
  expect(Array.isArray(body.errors)).toBe(status === 422);
  if (status === 401) expect(headers['www-authenticate']).toMatch(/^Bearer/);
};

/** One call under `/api/v1`; a path that begins with `//` is taken as it is. Holds the answer against what its route declares. */
export const callTo =
  (url: string) =>
  (method: string, path: string, { token, body, headers = {} }: CallOptions = {}): Promise<Answer> => {
    const target = path.startsWith('//') ? path.slice(1) : `/api/v1${path}`;
    const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        `${url}${target}`,
        {
          method,
          headers: {
            ...(token ? { authorization: `Bearer ${token}` } : {}),
            ...(raw === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(raw)) }),
            ...headers,
          },
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () => {
            const text = Buffer.concat(parts).toString();
            const json = (response.headers['content-type'] ?? '').endsWith('json') && text !== '';
            const answer: Answer = {
              status: response.statusCode ?? 0,
              headers: response.headers as Answer['headers'],
              text,
              body: json ? (JSON.parse(text) as Answer['body']) : {},
            };
            try {
              if (answer.status >= 300 && method !== 'HEAD') expectProblem(answer);
              if (method !== 'HEAD') expectDeclared(method, target, answer);
              resolve(answer);
            } catch (error) {
              reject(error instanceof Error ? error : new Error(String(error)));
            }
          });
        },
      );
      sent.on('error', reject);
      sent.end(raw);
    });
  };

export type Call = ReturnType<typeof callTo>;

/** Somebody, logged in. */
export interface Person {
  id: string;
  email: string;
  token: string;
  refreshToken: string;
}

export const password = 'quarry lamp seven bridges';

/** A platform of real parts in this process. */
export interface World {
  gateway: RunningGateway;
  call: Call;
  namespace: string;
  addresses: Record<ServiceName, string>;
  services: Record<ServiceName, RunningService>;
  login(email: string, audience?: string, tenant?: string): Promise<Answer>;
  /** A new organisation and its admin, who is logged in for org-admin. */
  organization(): Promise<{ id: string; slug: string; admin: Person }>;
  /** A user of an organisation, logged in. */
  person(admin: Person, slug: string, orgRoles: string[], audience?: string): Promise<Person>;
  /** Platform staff, logged in. */
  staff(role: 'platform-admin' | 'platform-support'): Promise<Person>;
  close(): Promise<void>;
}

const staffOf = (role: string) => `${role}@accessops.test`;

// Not by a plain import: the gateway and its tests know the services by their addresses only.
const startService = async (name: ServiceName, environment: Record<string, string>): Promise<RunningService> => {
  const load = (file: string) => import(new URL(`../../services/${name}/src/${file}`, import.meta.url).href);
  const [{ configFrom: read }, app] = await Promise.all([load('config.ts'), load('app.ts')]);
  const start = app[`start${name[0]?.toUpperCase()}${name.slice(1)}`] as (config: unknown, overrides: unknown) => Promise<RunningService>;
  return start(read(environment), { log: createLogger(name, 'fatal'), backOffMs: [1, 1], rememberMs });
};

/** Starts all services and a gateway on a database and a namespace of their own, and with the shared Cerbos unless there is another. */
export const startWorld = async ({
  namespace = newNamespace(),
  cerbosAddress = infrastructure().cerbosAddress,
  database: given,
  overridesOf = () => ({}),
}: {
  namespace?: string;
  cerbosAddress?: string;
  /** A database with the schemas of all services. */
  database?: TestDatabase;
  /** What a process is told besides. */
  overridesOf?: (name: ServiceName | 'gateway') => Record<string, string>;
} = {}): Promise<World> => {
  const database = given ?? (await createDatabase([...serviceNames]));
  const staffFile = join(infrastructure().directory, `staff-${randomBytes(6).toString('hex')}.json`);
  const roles = ['platform-admin', 'platform-support'];
  const staff = roles.map((role) => ({ email: staffOf(role), firstName: 'Pat', lastName: 'Platform', password, realmRoles: [role] }));
  writeFileSync(staffFile, JSON.stringify(staff));
  const environmentOf = (name: ServiceName, overrides: Record<string, string> = {}) =>
    serviceEnvironment(name, { database, namespace, overrides: { ...overrides, CERBOS_ADDRESS: cerbosAddress, ...overridesOf(name) } });
  const start = (name: ServiceName, overrides?: Record<string, string>) => startService(name, environmentOf(name, overrides));
  const requests = await start('requests');
  const services = {
    identity: await start('identity', { PLATFORM_USERS_FILE: staffFile }),
    requests,
    approvals: await start('approvals', { REQUESTS_ADDRESS: requests.address }),
    provisioner: await start('provisioner'),
    audit: await start('audit'),
  };
  const addresses = Object.fromEntries(serviceNames.map((name) => [name, services[name].address])) as Record<ServiceName, string>;
  const gateway = await startTestGateway(addresses, {
    EVENTS_NAMESPACE: namespace,
    CERBOS_ADDRESS: cerbosAddress,
    ...overridesOf('gateway'),
  });
  const call = callTo(gateway.url);

  const login: World['login'] = (email, audience, tenant) => call('POST', '/auth/login', { body: { email, password, audience, tenant } });
  const signIn = async (id: string, email: string, audience?: string, tenant?: string): Promise<Person> => {
    const { status, text, body } = await login(email, audience, tenant);
    if (status !== 200) throw new Error(`${email} cannot log in: ${text}`);
    return { id, email, token: String(body.accessToken), refreshToken: String(body.refreshToken) };
  };
  await until(async () => (await call('GET', '//health')).body.status === 'ok', { what: 'a healthy platform', timeoutMs: 30_000 });

  return {
    gateway,
    call,
    namespace,
    addresses,
    services,
    login,
    organization: async () => {
      const slug = `org-${randomBytes(5).toString('hex')}`;
      const email = `admin@${slug}.test`;
      const registration = { email, password, firstName: 'Ada', lastName: 'Admin', organization: { name: `Org ${slug}`, slug } };
      const { body } = await call('POST', '/auth/register', { body: registration });
      const { user, tenant } = body as unknown as { user: Item; tenant: Item };
      return { id: tenant.id, slug, admin: await signIn(user.id, email, 'org-admin', slug) };
    },
    person: async (admin, slug, orgRoles, audience) => {
      const email = `p-${randomBytes(5).toString('hex')}@${slug}.test`;
      const body = { email, firstName: 'Una', lastName: 'User', password, orgRoles };
      const created = await call('POST', '/org/users', { token: admin.token, body });
      return signIn(String(created.body.id), email, audience, slug);
    },
    staff: (role) => signIn('', staffOf(role), 'admin'),
    close: async () => {
      await gateway.close();
      for (const name of serviceNames) await services[name].close();
      await database.drop();
    },
  };
};
