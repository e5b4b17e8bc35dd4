import { newId } from '@accessops/db';
import { type Broker, connectBroker, type Event, ensureStream, headersOf, publish, services } from '@accessops/events';
import { type CallOptions, connect, Metadata, type ServiceClient } from '@accessops/grpc';
import { AuditService } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { type Filter, type ListQuery, Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { AnyEventSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { RunningService, ServiceOverrides } from '@accessops/service';
import {
  createDatabase,
  infrastructure,
  mintPrincipal,
  namespace as newNamespace,
  serviceEnvironment,
  type TestDatabase,
  until,
} from '@accessops/testing';
import { create, toBinary } from '@bufbuild/protobuf';
import pg from 'pg';
import { startAudit } from '../src/app.ts';
import { configFrom } from '../src/config.ts';

type Who = Parameters<typeof mintPrincipal>[0];

/** A row of the log, as a superuser sees it. */
export interface Row {
  id: string;
  tenant_id: string;
  sequence: string;
  action: string;
  hash: Buffer;
  [column: string]: unknown;
}

interface Change {
  action: string;
  entityType: string;
  entityId: string;
  actor: { id: string; type: string; email: string };
  origin: { requestId: string; ip: string; userAgent: string };
  changesJson: string;
}

/** Makes an event of a tenant that tells of one change. */
export const changeOf = (tenantId: string, change: Partial<Change> = {}, event: Partial<Event> = {}): Event => {
  const origin = { requestId: newId(), ip: '192.0.2.7', userAgent: 'test/1.0', traceparent: '' };
  return {
    id: newId(),
    // What every service may tell.
    type: 'DeadLetterReplayed',
    tenantId,
    aggregateId: newId(),
    occurredAt: new Date(),
    origin,
    payload: toBinary(
      AnyEventSchema,
      create(AnyEventSchema, {
        change: {
          action: 'REQUEST_CREATED',
          entityType: 'REQUEST',
          entityId: newId(),
          actor: { id: newId(), type: 'user', email: 'requester@acme.test' },
          origin,
          changesJson: '{"status":{"before":null,"after":"PENDING"}}',
          ...change,
        },
      }),
    ),
    ...event,
  };
};

/** Conditions of a list, as `[field, operator, ...values]`. */
export const where = (...conditions: [string, keyof typeof Operator, ...string[]][]): Pick<ListQuery, 'filters'> => ({
  filters: conditions.map(([field, operator, ...values]) => ({ field, operator: Operator[operator], values }) as Filter),
});

/** One audit service with a database and a namespace of its own, and someone who publishes to all five streams. */
export interface Suite {
  database: TestDatabase;
  namespace: string;
  broker: Broker;
  /** A superuser's connection, which row-level security does not hold. */
  admin: pg.Pool;
  client: ServiceClient<typeof AuditService>;
  metricsAddress: string | undefined;
  /** Puts events into the stream of a producer, in order. */
  publish(producer: string, ...events: Event[]): Promise<void>;
  /** Waits until a tenant's log holds that many events, and answers it in order. */
  log(tenantId: string, length: number): Promise<Row[]>;
  /** Publishes that many events of a new tenant and waits for them. */
  tenantWith(events: number): Promise<string>;
  /** Options of a call by somebody. */
  as(who: Who): Promise<CallOptions>;
  /** Starts one more instance of the service; closed with the suite. */
  startAnother(overrides?: ServiceOverrides, environment?: Record<string, string>): Promise<RunningService>;
  close(): Promise<void>;
}

export const startSuite = async (overrides?: ServiceOverrides, environment?: Record<string, string>): Promise<Suite> => {
  const database = await createDatabase(['audit']);
  const namespace = newNamespace();
  const running: RunningService[] = [];
  const startAnother: Suite['startAnother'] = async (options, environment = {}) => {
    const service = await startAudit(configFrom({ ...serviceEnvironment('audit', { database, namespace }), ...environment }), options);
    running.push(service);
    return service;
  };
  const broker = await connectBroker(infrastructure().nats);
  await Promise.all(services.map((producer) => ensureStream(broker, namespace, producer)));
  const admin = new pg.Pool({ connectionString: database.adminUrl, options: '-c search_path=audit', max: 3 });
  // The database is dropped while its last connections are still ending.
  admin.on('error', () => undefined);
  const { address, metricsAddress } = await startAnother(overrides, environment);
  const client = connect(AuditService, address);
  // Once it has looked at its stream: what is told in its name before that would be taken for events that its database has lost.
  await until(async () => (await admin.query('select 1 from outbox_stream')).rowCount, { what: 'audit to lead' });

  const suite: Suite = {
    database,
    namespace,
    broker,
    admin,
    client,
    metricsAddress,
    startAnother,
    publish: async (producer, ...events) => {
      for (let sent = 0; sent < events.length; sent += 500) {
        const batch = events.slice(sent, sent + 500).map((event) =>
          publish(broker, namespace, producer, {
            type: event.type,
            payload: event.payload,
            headers: headersOf(producer, event),
            messageId: newId(),
          }),
        );
        await Promise.all(batch);
      }
    },
    log: async (tenantId, length) => {
      const count = 'select count(*)::int as count from audit_event where tenant_id = $1';
      await until(async () => ((await admin.query<{ count: number }>(count, [tenantId])).rows[0]?.count ?? 0) >= length, {
        timeoutMs: 50_000,
        what: `a log of ${length} events`,
      });
      return (await admin.query<Row>('select * from audit_event where tenant_id = $1 order by sequence', [tenantId])).rows;
    },
    tenantWith: async (events) => {
      const tenantId = newId();
      await suite.publish('requests', ...Array.from({ length: events }, () => changeOf(tenantId)));
      await suite.log(tenantId, events);
      return tenantId;
    },
    as: async (who) => {
      const metadata = new Metadata();
      metadata.set('authorization', `Bearer ${await mintPrincipal(who)}`);
      return { metadata };
    },
    close: async () => {
      client.close();
      await Promise.all(running.map((service) => service.close()));
      await Promise.all(services.map((producer) => broker.jsm.streams.delete(`${namespace}_${producer}`.toUpperCase())));
      await broker.close();
      await admin.end();
      await database.drop();
    },
  };
  return suite;
};

/** Who may read a tenant's log. */
export const auditorOf = (tenantId: string): Who => ({ tenantId, audience: 'org-admin', orgRoles: ['auditor'] });
