import { randomBytes } from 'node:crypto';
import type { Principal } from '@accessops/authn';
import { AppError } from '@accessops/errors';
import { connect, Metadata, type ServiceClient } from '@accessops/grpc';
import { AnyEventSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { RunningService } from '@accessops/service';
import { createDatabase, mintPrincipal, namespace, serviceEnvironment, type TestDatabase } from '@accessops/testing';
import { fromBinary } from '@bufbuild/protobuf';
import { decodeJwt } from 'jose';
import pg from 'pg';
import { startIdentity } from '../src/app.ts';
import { configFrom } from '../src/config.ts';

export const password = 'quarry lamp seven bridges';

/** An event as the outbox holds it, read for its audit side. */
export interface Told {
  type: string;
  tenantId: string;
  aggregateId: string;
  action: string | undefined;
  entityType: string | undefined;
  entityId: string | undefined;
  actor: { id: string; type: string; email: string } | undefined;
  requestId: string | undefined;
  changes: Record<string, { before?: unknown; after?: unknown }>;
  payload: Buffer;
}

/** A user of a test tenant, as whom calls are made. */
export interface Person {
  id: string;
  email: string;
}

export interface Harness {
  client: ServiceClient<typeof IdentityService>;
  database: TestDatabase;
  admin: pg.Pool;
  /** The service's clock, moved forward. */
  clock: { skipMs: number };
  /** Moves the clock on to the next full hour: what is counted by the hour then has all of it. */
  toNextHour(): void;
  environment: Record<string, string>;
  /** Another instance on the same database. */
  startAnother(overrides?: Record<string, string>): Promise<RunningService>;
  eventsOf(tenantId: string): Promise<Told[]>;
  close(): Promise<void>;
}

const hourMs = 3_600_000;

/** The service on a database of its own, with the means to look behind it. */
export const startHarness = async (overrides: Record<string, string> = {}): Promise<Harness> => {
  const database = await createDatabase(['identity']);
  const clock = { skipMs: 0 };
  const environment = serviceEnvironment('identity', { database, namespace: namespace(), overrides });
  const now = () => new Date(Date.now() + clock.skipMs);
  const running = [await startIdentity(configFrom(environment), { now })];
  const admin = new pg.Pool({ connectionString: database.adminUrl, options: '-c search_path=identity', max: 4 });
  const client = connect(IdentityService, running[0]?.address ?? '');
  // Races are about rows, not about who gets the first connections of an empty pool on a busy machine.
  const options = await anonymously();
  await Promise.all(Array.from({ length: 10 }, () => codeOf(client.getJwks({}, options))));
  return {
    client,
    database,
    admin,
    clock,
    toNextHour: () => {
      clock.skipMs += hourMs - (now().getTime() % hourMs);
    },
    environment,
    startAnother: async (more = {}) => {
      const another = await startIdentity(configFrom({ ...environment, ...more }), { now });
      running.push(another);
      return another;
    },
    eventsOf: async (tenantId) => {
      const { rows } = await admin.query(
        'select type, tenant_id, aggregate_id, payload from outbox_event where tenant_id = $1 order by id',
        [tenantId],
      );
      return rows.map(({ type, tenant_id, aggregate_id, payload }) => {
        const { change } = fromBinary(AnyEventSchema, payload);
        return {
          type,
          tenantId: tenant_id,
          aggregateId: aggregate_id,
          action: change?.action,
          entityType: change?.entityType,
          entityId: change?.entityId,
          actor: change?.actor && { id: change.actor.id, type: change.actor.type, email: change.actor.email },
          requestId: change?.origin?.requestId,
          changes: JSON.parse(change?.changesJson ?? '{}') as Told['changes'],
          payload,
        };
      });
    },
    close: async () => {
      client.close();
      for (const service of running) await service.close();
      await admin.end();
      await database.drop();
    },
  };
};

export interface CallAs {
  requestId?: string;
  idempotencyKey?: string;
  fingerprint?: string;
}

/** Call options of somebody with a principal token. */
export const as = async (who: Partial<Principal>, { requestId = 'test-request', idempotencyKey, fingerprint = 'same' }: CallAs = {}) => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${await mintPrincipal(who)}`);
  metadata.set('x-request-id', requestId);
  metadata.set('x-client-ip', '192.0.2.7');
  metadata.set('x-user-agent', 'vitest');
  if (idempotencyKey) {
    metadata.set('idempotency-key', encodeURIComponent(idempotencyKey));
    metadata.set('idempotency-fingerprint', fingerprint);
  }
  return { metadata, deadlineMs: 60_000 };
};

/** Call options of somebody before login. */
export const anonymously = (call?: CallAs) => as({ type: 'anonymous', id: 'anonymous', audience: 'public', mfaLevel: 0 }, call);

/** Call options of the gateway itself. */
export const asGateway = () => as({ type: 'gateway', id: 'gateway', audience: 'public', mfaLevel: 0 });

/** Call options of platform staff in the platform console. */
export const asPlatform = (role: 'platform-admin' | 'platform-support' = 'platform-admin', call?: CallAs) =>
  as({ id: '00000000-0000-7000-8000-0000000000aa', email: 'root@accessops.test', audience: 'admin', realmRoles: [role] }, call);

/** The code of the AppError that a call ends with; `ok` when it succeeds. */
export const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

/** The pointers of the fields that a call names as wrong. */
export const fieldsOf = (call: Promise<unknown>): Promise<string[]> =>
  call.then(
    () => [],
    (error: unknown) => (error instanceof AppError ? error.fields.map(({ pointer }) => pointer) : [String(error)]),
  );

/** Whether so many seconds are left, or some less: time goes by between what sets an end and what tells of it. */
export const isAbout =
  (seconds: number) =>
  (left: number): boolean =>
    left <= seconds && left > seconds - 120;

/** A name that nobody else has. */
export const unique = (prefix: string): string => `${prefix}-${randomBytes(5).toString('hex')}`;

/** A tenant with its first admin. */
export interface TestTenant {
  id: string;
  slug: string;
  admin: Person;
  /** Call options of a person of this tenant. */
  as(person: Person, orgRoles: string[], more?: Partial<Principal>, call?: CallAs): ReturnType<typeof as>;
  /** Call options of the first admin in the org console. */
  asAdmin(call?: CallAs): ReturnType<typeof as>;
  /** Adds a user. */
  add(name: string, orgRoles: string[]): Promise<Person>;
}

/** Registers a tenant. */
export const newTenant = async ({ client }: Harness): Promise<TestTenant> => {
  const slug = unique('org');
  const email = `admin@${slug}.test`;
  const reply = await client.register(
    { email, password, firstName: 'Ada', lastName: 'Admin', organization: { name: `Org ${slug}`, slug } },
    await anonymously(),
  );
  const admin = { id: reply.user?.id ?? '', email };
  const id = reply.tenant?.id ?? '';
  const asPerson: TestTenant['as'] = (person, orgRoles, more, call) =>
    as({ ...person, tenantId: id, tenantSlug: slug, orgRoles, audience: 'org-admin', ...more }, call);
  return {
    id,
    slug,
    admin,
    as: asPerson,
    asAdmin: (call) => asPerson(admin, ['admin'], {}, call),
    add: async (name, orgRoles) => {
      const user = await client.createUser(
        { email: `${name}@${slug}.test`, firstName: 'Una', lastName: name, password, orgRoles },
        await asPerson(admin, ['admin']),
      );
      return { id: user.id, email: user.email };
    },
  };
};

/** Logs in and reads the token's session id. */
export const logIn = async (
  { client }: Harness,
  email: string,
  wish: { audience?: string; tenant?: string; password?: string; totp?: string; recoveryCode?: string } = {},
) => {
  const session = await client.login({ email, password, ...wish }, await anonymously());
  const claims = decodeJwt(session.accessToken);
  return { ...session, claims, sessionId: String(claims.sid), subject: String(claims.sub) };
};
