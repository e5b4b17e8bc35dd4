import { newId } from '@accessops/db';
import { type Broker, connectBroker, ensureStream, headersOf, publish, type Service } from '@accessops/events';
import { connect, Metadata, type ServiceClient } from '@accessops/grpc';
import {
  AnyEventSchema,
  RequestApprovedSchema,
  RequestSubmittedSchema,
  RequestWithdrawnSchema,
  TenantCreatedSchema,
  TenantUpdatedSchema,
  UserUpdatedSchema,
} from '@accessops/proto/accessops/events/v1/events_pb';
import { ProvisionerService } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import type { RunningService } from '@accessops/service';
import {
  createDatabase,
  infrastructure,
  mintPrincipal,
  namespace as newNamespace,
  serviceEnvironment,
  type TestDatabase,
  until,
} from '@accessops/testing';
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import pg from 'pg';
import { type ProvisionerOverrides, startProvisioner } from '../src/app.ts';
import { configFrom } from '../src/config.ts';
import { createGate, type Gate } from './gate.ts';

export interface Person {
  id: string;
  tenantId: string;
  orgRoles: string[];
}

export interface Approved {
  requester?: Person;
  duration?: string;
  connector?: string;
  config?: Record<string, unknown>;
  parameters?: Record<string, unknown>;
  resourceId?: string;
  requestId?: string;
  /** In cents; free by default. */
  pricePerHour?: bigint;
  /** Of an extension: the request whose access is to last longer. */
  extendsRequestId?: string;
}

/** Who decides on a request. */
export interface Deciders {
  roles?: string[];
  teamId?: string;
}

export interface JobRow {
  id: string;
  status: string;
  attempts: number;
  kind: string;
  grant_id: string | null;
  last_error: string | null;
}

export interface GrantRow {
  id: string;
  status: string;
  ended_at: Date | null;
  expires_at: Date;
  end_reason: string | null;
}

export interface TargetRow {
  present: boolean;
  times_created: number;
}

/** A provisioner on a database and a namespace of its own, and hands to set things going and to look behind it. */
export interface Suite {
  database: TestDatabase;
  /** Sees everything, whatever row-level security says. */
  sql: pg.Pool;
  environment: Record<string, string>;
  tenantId: string;
  requester: Person;
  admin: Person;
  /** In front of the simulated target of all instances of this process. */
  gate: Gate;
  /**
   * Starts another instance, with what differs in its environment; the suite ends it. It is patient: only a test that wants a lease or a deadline
   * to run out sets one that may.
   */
  start(overrides?: ProvisionerOverrides, environment?: Record<string, string>): Promise<RunningService>;
  /** Stops all instances, as SIGTERM would. */
  stopAll(): Promise<void>;
  /** A client of the first instance in somebody's name; `metadata` comes on top. */
  as(person: Person, metadata?: Record<string, string>): Promise<ServiceClient<typeof ProvisionerService>>;
  /** Tells an event as another service would; told twice with one id it is a duplicate. */
  tell<D extends DescMessage>(producer: Service, schema: D, message: MessageInitShape<D>, about: Told): Promise<void>;
  /** Tells of a request that waits for a decision; answers all of it, so that it can be approved. */
  submit(request?: Approved, deciders?: Deciders): Promise<Approved & { requestId: string }>;
  /** Tells of an approved request; answers its id. */
  approve(request?: Approved): Promise<string>;
  withdraw(requestId: string): Promise<void>;
  tellUser(person: Person, active: boolean, version: number): Promise<void>;
  /** Tells what a tenant is called, and waits until that is known: logins of connectors are for tenants by their short names. */
  tellSlug(slug?: string, tenantId?: string): Promise<void>;
  tellTenant(tenantId: string, status: 'ACTIVE' | 'SUSPENDED', version: number): Promise<void>;
  job(requestId: string, kind?: string): Promise<JobRow | undefined>;
  grant(requestId: string): Promise<GrantRow | undefined>;
  /** Waits until the grant of the request has one of these statuses. */
  grantIs(requestId: string, statuses: string[], timeoutMs?: number): Promise<GrantRow>;
  jobIs(requestId: string, status: string, timeoutMs?: number): Promise<JobRow>;
  /** Has the time of a grant be up so much later than now; answers when that is. */
  endsIn(grantId: string, ms: number): Promise<Date>;
  target(jobId: string): Promise<TargetRow | undefined>;
  /** Audited actions of all events about a request, in order. */
  actions(requestId: string): Promise<string[]>;
  close(): Promise<void>;
}

export interface Told {
  aggregateId: string;
  tenantId?: string;
  eventId?: string;
  /** X-Request-Id of the call that set things going. */
  requestId?: string;
  /** What the stream de-duplicates by; another one each time by default, so that duplicates arrive. */
  messageId?: string;
  /** What its subject says that it is, instead of what it is. */
  as?: string;
}

// Longer than a busy machine stands still.
const patientMs = 60_000;
const patient = { leaseMs: patientMs / 2, deadlineMs: patientMs };

const person = (tenantId: string, ...orgRoles: string[]): Person => ({ id: newId(), tenantId, orgRoles });

export { person };

/** Starts a suite; `instances: 0` leaves it to the test to start what it needs. */
export const startSuite = async ({
  instances = 1,
  overrides,
  environment: more = {},
}: {
  instances?: number;
  overrides?: ProvisionerOverrides;
  /** On top of what every provisioner is started with. */
  environment?: Record<string, string>;
} = {}): Promise<Suite> => {
  const database = await createDatabase(['provisioner']);
  const namespace = newNamespace();
  const environment = serviceEnvironment('provisioner', { database, namespace, overrides: more });
  const broker: Broker = await connectBroker(infrastructure().nats);
  await Promise.all(['identity', 'requests'].map((producer) => until(() => ensureStream(broker, namespace, producer))));
  const sql = new pg.Pool({ connectionString: database.adminUrl, max: 3, options: '-c search_path=provisioner' });
  // Dropping the database ends what is still open.
  sql.on('error', () => undefined);
  const gate = createGate();
  const tenantId = newId();
  const requester = person(tenantId, 'requester');
  const admin = person(tenantId, 'admin');
  const running: RunningService[] = [];
  const clients: { close(): void }[] = [];

  const start: Suite['start'] = async (own = overrides, differing = {}) => {
    const service = await startProvisioner(configFrom({ ...environment, ...differing }), {
      simulated: gate.inFrontOf,
      ...own,
      worker: { ...patient, ...own?.worker },
    });
    running.push(service);
    return service;
  };
  const stopAll: Suite['stopAll'] = async () => {
    await Promise.all(running.splice(0).map((service) => service.close()));
  };
  for (let n = 0; n < instances; n++) await start();

  const tell: Suite['tell'] = async (producer, schema, message, { aggregateId, tenantId: of = tenantId, eventId = newId(), ...about }) => {
    const payload = toBinary(schema, create(schema, message));
    const origin = { requestId: about.requestId ?? 'test', ip: '192.0.2.1', userAgent: 'test', traceparent: '' };
    const event = { id: eventId, type: schema.name, tenantId: of, aggregateId, occurredAt: new Date(), origin, payload };
    const headers = headersOf(producer, event);
    const told = { type: about.as ?? schema.name, payload, headers, messageId: about.messageId ?? newId() };
    // A stream that does not answer in time may have it all the same; under one message id it takes it once.
    await until(() => publish(broker, namespace, producer, told), { timeoutMs: patientMs, what: 'a stream that takes an event' });
  };

  const one = async <T extends object>(text: string, values: unknown[]): Promise<T | undefined> =>
    (await sql.query<T>(text, values)).rows[0];
  const job: Suite['job'] = (requestId, kind = 'PROVISION') =>
    one('select * from job where request_id = $1 and kind = $2', [requestId, kind]);
  const detailsOf = ({ requester: who = requester, duration = 'PT1H', connector = 'simulated', ...more }: Approved) => ({
    requesterId: who.id,
    resourceId: more.resourceId ?? newId(),
    resourceKey: 'staging-db',
    role: 'reader',
    duration,
    connector,
    configJson: JSON.stringify(more.config ?? {}),
    parametersJson: JSON.stringify(more.parameters ?? {}),
  });
  const grant: Suite['grant'] = (requestId) => one('select * from access_grant where request_id = $1', [requestId]);

  return {
    database,
    sql,
    environment,
    tenantId,
    requester,
    admin,
    gate,
    start,
    stopAll,
    as: async ({ id, tenantId: of, orgRoles }, extra = {}) => {
      const [first] = running;
      if (!first) throw new Error('no instance runs');
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${await mintPrincipal({ id, tenantId: of, orgRoles, audience: 'org-admin' })}`);
      metadata.set('x-request-id', 'call');
      for (const [name, value] of Object.entries(extra)) metadata.set(name, value);
      const client = connect(ProvisionerService, first.address);
      clients.push(client);
      const calls = Object.entries(client).map(([name, call]) => [
        name,
        name === 'close'
          ? call
          : (request: never) => (call as (...args: unknown[]) => unknown)(request, { metadata, deadlineMs: patientMs }),
      ]);
      return Object.fromEntries(calls) as typeof client;
    },
    tell,
    submit: async (request = {}, { roles = ['approver'], teamId = '' } = {}) => {
      const filed = { resourceId: newId(), requestId: newId(), ...request };
      const { requestId, requester: who = requester } = filed;
      const stages = [{ name: 'approval', required: 1, roles, teamId }];
      await tell(
        'requests',
        RequestSubmittedSchema,
        { requestId, ...detailsOf(filed), stages },
        { aggregateId: requestId, tenantId: who.tenantId },
      );
      return filed;
    },
    approve: async (request = {}) => {
      const { requestId = newId(), requester: who = requester } = request;
      await tell(
        'requests',
        RequestApprovedSchema,
        {
          requestId,
          ...detailsOf(request),
          extendsRequestId: request.extendsRequestId ?? '',
          ...(request.pricePerHour !== undefined && { pricePerHour: { amount: request.pricePerHour, currency: 'EUR' } }),
        },
        { aggregateId: requestId, tenantId: who.tenantId, requestId: `origin-${requestId}` },
      );
      return requestId;
    },
    withdraw: (requestId) => tell('requests', RequestWithdrawnSchema, { requestId }, { aggregateId: requestId }),
    tellUser: ({ id, tenantId: of, orgRoles }, active, version) =>
      tell('identity', UserUpdatedSchema, { user: { id, active, version, orgRoles } }, { aggregateId: id, tenantId: of }),
    tellSlug: async (slug = 'acme', of = tenantId) => {
      await tell('identity', TenantCreatedSchema, { tenantId: of, slug, name: slug }, { aggregateId: of, tenantId: of });
      await until(() => one('select 1 from tenant where tenant_id = $1 and slug = $2', [of, slug]), { what: `a tenant called ${slug}` });
    },
    tellTenant: (of, status, version) =>
      tell('identity', TenantUpdatedSchema, { tenantId: of, status, version }, { aggregateId: of, tenantId: of }),
    job,
    grant,
    grantIs: (requestId, statuses, timeoutMs) =>
      until(
        async () => {
          const row = await grant(requestId);
          return row && statuses.includes(row.status) && row;
        },
        { timeoutMs, what: `a grant that is ${statuses.join(' or ')}` },
      ),
    jobIs: (requestId, status, timeoutMs) =>
      until(
        async () => {
          const row = await job(requestId);
          return row?.status === status && row;
        },
        { timeoutMs, what: `a job that is ${status}` },
      ),
    endsIn: async (grantId, ms) => {
      const { rows } = await sql.query<{ expires_at: Date }>(
        `update access_grant set expires_at = clock_timestamp() + $2 * interval '1 millisecond' where id = $1 and status = 'ACTIVE' returning expires_at`,
        [grantId, ms],
      );
      if (!rows[0]) throw new Error('the grant is not ACTIVE');
      return rows[0].expires_at;
    },
    target: (jobId) => one('select * from simulated_target where key = $1', [jobId]),
    actions: async (requestId) => {
      const { rows } = await sql.query<{ payload: Buffer }>('select payload from outbox_event where aggregate_id = $1 order by id', [
        requestId,
      ]);
      return rows.map(({ payload }) => fromBinary(AnyEventSchema, payload).change?.action ?? '');
    },
    close: async () => {
      gate.open();
      for (const client of clients) client.close();
      await stopAll();
      await broker.close();
      await sql.end();
      await database.drop();
    },
  };
};
