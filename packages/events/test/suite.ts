import { createOrm, createServiceSchema, newId, platformTables, recoveryTable } from '@accessops/db';
import { type RequestProgressed, RequestProgressedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { createLogger } from '@accessops/telemetry';
import { infrastructure, namespace as newNamespace, patienceMs, until } from '@accessops/testing';
import { create, toBinary } from '@bufbuild/protobuf';
import type { MikroORM } from '@mikro-orm/postgresql';
import pg from 'pg';
import {
  type Broker,
  type BrokerOptions,
  type ConsumerOptions,
  connectBroker,
  DeadLetter,
  type EventContext,
  emit,
  ensureStream,
  headersOf,
  type Outbox,
  on,
  publish,
  type Relay,
  type RelayOptions,
  type RunningConsumer,
  type Subscription,
  startConsumer,
  startRelay,
  streamOf,
  unitOfWork,
} from '../src/index.ts';

/** What the services of these tests tell. */
export const told = ['RequestProgressed', 'RequestClosed', 'GrantEnded', 'DeadLetterReplayed'];

export const silent = createLogger('test', 'silent');

/** A service that exists in these tests only: a schema, a login and an outbox. */
export interface Party {
  name: string;
  databaseUrl: string;
  orm: MikroORM;
  outbox: Outbox;
}

export interface Effect {
  event_id: string;
  aggregate: string;
  status: string;
}

export interface SentEvent {
  id?: string;
  tenantId?: string;
  aggregateId: string;
  status: string;
  occurredAt?: Date;
  payload?: Uint8Array;
  messageId?: string;
}

/** Two services in a database of their own: one tells, the other listens and writes down what it did. */
export interface Suite {
  namespace: string;
  admin: pg.Pool;
  teller: Party;
  listener: Party;
  /** The stream of the teller. */
  stream: string;
  /** Changes state and tells of it, in one transaction. */
  tell(aggregateId: string, ...statuses: string[]): Promise<void>;
  /** Writes down what an event asks for. */
  record(ctx: EventContext, event: RequestProgressed): Promise<void>;
  /** What the listener did, in order; waits until there is that much. */
  effects(length: number, aggregateId?: string): Promise<Effect[]>;
  connect(options?: Partial<BrokerOptions>): Promise<Broker>;
  /** A connection to look at streams with. */
  own(): Promise<Broker>;
  startRelay(options?: Partial<RelayOptions>): Promise<Relay>;
  /** Starts the listener; `react` is what it does instead of writing everything down. */
  listen(react?: Subscription['run'], options?: Partial<ConsumerOptions>): Promise<RunningConsumer>;
  /** Puts an event into the stream of the teller as it is, past its outbox. */
  send(event: SentEvent): Promise<string>;
  /** The messages in the teller's stream, by event id. */
  streamed(broker?: Broker): Promise<string[]>;
  parked(): Promise<Record<string, unknown>[]>;
  /** What has to be let go before all is closed, also when a test has failed. */
  beforeClose(letGo: () => void): void;
  close(): Promise<void>;
}

export const tenantId = '01890000-0000-7000-8000-000000000001';
const actor = { id: 'u-1', type: 'user', email: 'somebody@acme.test' };
const origin = { requestId: 'call-1', ip: '192.0.2.7', userAgent: 'test “ü”', traceparent: '' };
export const context = { tenantId, actor, origin, now: () => new Date() };

/** `nats` is the shared server unless a test has one of its own. */
export const startSuite = async (nats: BrokerOptions = infrastructure().nats): Promise<Suite> => {
  const database = `events_${newId().slice(-12)}`;
  const server = new pg.Client({ connectionString: infrastructure().adminUrl });
  await server.connect();
  await server.query(`create database ${database}`);
  const adminUrl = Object.assign(new URL(infrastructure().adminUrl), { pathname: `/${database}` }).href;
  const admin = new pg.Pool({ connectionString: adminUrl, max: 3 });
  // The database is dropped while its last connections are still ending.
  admin.on('error', () => undefined);

  const makeParty = async (name: string): Promise<Party> => {
    await createServiceSchema(adminUrl, { service: name, ownerPassword: 'owner', appPassword: 'app' });
    const owner = new pg.Client({
      connectionString: Object.assign(new URL(adminUrl), { username: `${name}_owner`, password: 'owner' }).href,
    });
    await owner.connect();
    for (const sql of [...platformTables, ...recoveryTable(name)]) await owner.query(sql);
    await owner.query('create table effect (id bigint generated always as identity, event_id uuid, aggregate text, status text)');
    await owner.end();
    const databaseUrl = Object.assign(new URL(adminUrl), { username: name, password: 'app' }).href;
    const orm = await createOrm({ url: databaseUrl, schema: name, entities: [DeadLetter], connectWithinMs: patienceMs, log: silent });
    return { name, databaseUrl, orm, outbox: { orm, service: name, tells: told, wake: () => undefined } };
  };
  const teller = await makeParty(`${database}_teller`);
  const listener = await makeParty(`${database}_listener`);
  const namespace = newNamespace();
  const stream = streamOf(namespace, teller.name);

  const closing: (() => Promise<unknown>)[] = [];
  const lettingGo: (() => void)[] = [];
  const connect = async (options: Partial<BrokerOptions> = {}) => {
    const broker = await connectBroker({ ...nats, ...options });
    closing.push(() => broker.close());
    return broker;
  };

  let relay: Relay | undefined;
  let ownBroker: Promise<Broker> | undefined;
  const own = () => {
    ownBroker ??= connect();
    return ownBroker;
  };

  const suite: Suite = {
    namespace,
    admin,
    teller,
    listener,
    stream,
    tell: (aggregateId, ...statuses) =>
      unitOfWork(teller.outbox, { tenantId }, async (em) => {
        for (const status of statuses) {
          emit({ ...context, em }, RequestProgressedSchema, { requestId: aggregateId, status }, aggregateId, {
            action: `REQUEST_${status}`,
            entityType: 'REQUEST',
            entityId: aggregateId,
          });
        }
      }),
    record: async ({ em, event }, { requestId, status }) => {
      await em.execute('insert into effect (event_id, aggregate, status) values (?, ?, ?)', [event.id, requestId, status]);
    },
    effects: async (length, aggregateId) => {
      const find = `select event_id, aggregate, status from ${listener.name}.effect where $1::text is null or aggregate = $1 order by id`;
      return until(
        async () => {
          const { rows } = await admin.query<Effect>(find, [aggregateId ?? null]);
          return rows.length >= length && rows;
        },
        { timeoutMs: 50_000, what: `${length} effects` },
      );
    },
    connect,
    own,
    startRelay: async (options) => {
      const { broker = await connect() } = options ?? {};
      const started = startRelay({ databaseUrl: teller.databaseUrl, namespace, service: teller.name, log: silent, ...options, broker });
      relay = started;
      teller.outbox.wake = started.wake;
      const close = () => {
        if (relay === started) relay = undefined;
        return started.close();
      };
      closing.push(close);
      return { ...started, close };
    },
    listen: async (react, options) => {
      const { broker = await connect() } = options ?? {};
      const recording = on(RequestProgressedSchema, suite.record);
      const consumer = startConsumer({
        outbox: listener.outbox,
        namespace,
        service: listener.name,
        tellers: { [teller.name]: told },
        subscriptions: [{ type: recording.type, run: react ?? recording.run }],
        log: silent,
        backOffMs: [5, 10, 20],
        ...options,
        broker,
      });
      closing.push(() => consumer.close());
      return consumer;
    },
    send: async ({ id = newId(), tenantId: of = tenantId, aggregateId, status, occurredAt = new Date(), payload, messageId = newId() }) => {
      const body = payload ?? toBinary(RequestProgressedSchema, create(RequestProgressedSchema, { requestId: aggregateId, status }));
      const type = RequestProgressedSchema.name;
      const headers = headersOf(teller.name, { id, type, tenantId: of, aggregateId, occurredAt, origin, payload: body });
      const broker = await own();
      await ensureStream(broker, namespace, teller.name);
      // A relay that has just begun would take what it finds in the stream, past its outbox, for events that its database has lost.
      await until(async () => relay?.isLeader() ?? true, { timeoutMs: 20_000, what: 'the relay to lead' });
      await publish(broker, namespace, teller.name, { type, payload: body, headers, messageId });
      return id;
    },
    streamed: async (given) => {
      const broker = given ?? (await own());
      const { state } = await broker.jsm.streams.info(stream);
      const ids: string[] = [];
      for (let seq = state.first_seq; seq > 0 && seq <= state.last_seq; seq++) {
        ids.push((await broker.jsm.streams.getMessage(stream, { seq })).header.get('ce-id'));
      }
      return ids;
    },
    parked: async () => (await admin.query(`select * from ${listener.name}.dead_letter order by parked_at, id`)).rows,
    beforeClose: (letGo) => lettingGo.push(letGo),
    close: async () => {
      for (const letGo of lettingGo) letGo();
      for (const close of closing.toReversed()) await close();
      await Promise.all([teller, listener].map(({ orm }) => orm.close(true)));
      await admin.end();
      await server.query(`drop database ${database} with (force)`);
      for (const { name } of [teller, listener]) await server.query(`drop role ${name}, ${name}_owner`);
      await server.end();
    },
  };
  return suite;
};
