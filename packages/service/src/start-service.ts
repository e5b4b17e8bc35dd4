import { createPrincipalVerifier } from '@accessops/authn';
import { type Authorizer, createAuthorizer, lookAtPolicies, onPolicyNews } from '@accessops/authz';
import { createClock, createOrm, IdempotentReply, isDatabaseDown, poolMetrics, poolOf } from '@accessops/db';
import { AppError } from '@accessops/errors';
import {
  type Broker,
  connectBroker,
  DeadLetter,
  eventMetrics,
  type Hearing,
  subscriptions as listensTo,
  type Outbox,
  policiesOf,
  type Relay,
  type RunningConsumer,
  type Service,
  type Subscription,
  startConsumer,
  startRelay,
  tellersTo,
  tells,
} from '@accessops/events';
import { createServer, type Handlers, listen, serve } from '@accessops/grpc';
import { OperationsService } from '@accessops/proto/accessops/operations/v1/operations_pb';
import {
  type ConfigError,
  type Dependency,
  healthOf,
  type Logger,
  type Look,
  lookAtAll,
  lookAtDependencies,
  type MetricsServer,
  openTelemetry,
  type Registry,
  serveMetrics,
  type Tracer,
} from '@accessops/telemetry';
import { certificateMetric } from '@accessops/tls';
import type { DescService } from '@bufbuild/protobuf';
import { type EntityClass, type EntitySchema, type MikroORM, OptimisticLockError } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import { type Call, callFrom } from './call.ts';
import { callers } from './callers.ts';
import type { ServiceConfig } from './config.ts';
import { lookAtSchema, lookAtStreams } from './look-at-own.ts';
import { createServiceMetrics } from './metrics.ts';
import { operationsHandlers } from './operations.ts';

/** What a service's own parts are built from. */
export interface ServiceParts {
  orm: MikroORM;
  /** The pool under the ORM, for prepared statements on hot paths. */
  pool: Pool;
  outbox: Outbox;
  authorizer: Authorizer;
  log: Logger;
  now: () => Date;
  /** Aborted when the service begins to stop: calls that go on by themselves end then. */
  stopping: AbortSignal;
  /** For what the service measures of its own; missing where metrics are not served. */
  registry?: Registry;
  /** Undefined: nothing is traced. */
  tracer: Tracer | undefined;
}

/** One service, as it differs from the others. */
export interface ServiceDefinition<S extends DescService> {
  name: Service;
  service: S;
  entities: (EntityClass<object> | EntitySchema)[];
  handlers(parts: ServiceParts): Handlers<S, Call>;
  /** Reactions to events of the producers this service listens to. */
  subscriptions?(parts: ServiceParts): Subscription[];
  /** Looks at what the service needs besides database, policies and streams, before it serves. */
  looks?: Look[];
  /** What the service needs besides those, while it serves. */
  dependencies?: Dependency[];
  /** Background work; answers what stops it. */
  background?(parts: ServiceParts): { close(): Promise<void> };
}

export interface ServiceOverrides {
  now?: () => Date;
  log?: Logger;
  /** Pauses between attempts at an event, for tests of what happens after the last. */
  backOffMs?: number[];
  /** How long a decision is remembered, for tests of what makes it forgotten. */
  rememberMs?: number;
}

/** A service that runs. */
export interface RunningService {
  /** host:port of its gRPC server. */
  address: string;
  /** host:port of its metrics, where they are served. */
  metricsAddress?: string;
  /** When a dependency that was not there at the start turns out to be wrong. */
  refused: Promise<ConfigError>;
  close(): Promise<void>;
}

const translate = (error: unknown): AppError | undefined => {
  if (isDatabaseDown(error)) return new AppError('DEPENDENCY_UNAVAILABLE', undefined, { cause: error });
  if (error instanceof OptimisticLockError) return new AppError('VERSION_CONFLICT', undefined, { cause: error });
  return undefined;
};

const healthCheckMs = 1000;

/**
 * Starts a service: database, gRPC server with health, relay and consumers. It serves without NATS (the outbox keeps
 * what is to be told) and says NOT_SERVING while its database is away.
 */
export const startService = async <S extends DescService>(
  definition: ServiceDefinition<S>,
  config: ServiceConfig,
  { now: otherNow, log: otherLog, backOffMs, rememberMs }: ServiceOverrides = {},
): Promise<RunningService> => {
  const { name } = definition;
  const measured = config.metricsListen ? createServiceMetrics() : undefined;
  const { tls } = config;
  const telemetry = await openTelemetry(name, config, otherLog);
  const { log, tracer } = telemetry;
  const orm = await createOrm({
    url: config.databaseUrl,
    tls,
    schema: name,
    entities: [...definition.entities, IdempotentReply, DeadLetter],
    log,
  });
  const pool = await poolOf(orm);
  const clock = createClock(pool);
  const now = otherNow ?? clock.now;
  const authorizer = createAuthorizer({
    address: config.cerbosAddress,
    tls,
    timeoutMs: config.decisionTimeoutMs,
    ttlMs: rememberMs,
    watch: measured?.watchDecisions,
    tracer,
  });
  const connecting = connectBroker({ ...config.nats, tls });
  connecting.catch((error: unknown) => log.error({ err: error }, 'no connection to NATS'));
  const stop = new AbortController();
  let broker: Broker | undefined;
  const disconnect = async () => {
    // Also when it is connected only after that.
    const closing = connecting.then(
      (connected) => connected.close(),
      () => undefined,
    );
    if (broker) await closing;
    authorizer.close();
    await orm.close(true);
    await telemetry.close();
  };
  let isSchemaThere = false;
  const lookAtOwnSchema = lookAtSchema(pool, name);
  const looks: Look[] = [
    async () => {
      await clock.look();
      const lines = await lookAtOwnSchema();
      isSchemaThere = true;
      return lines;
    },
    lookAtPolicies(authorizer, config.cerbosAddress),
    lookAtStreams(connecting, { url: config.nats.url, namespace: config.namespace, service: name }),
    ...(definition.looks ?? []),
  ];
  const { refused } = await lookAtDependencies(looks, stop.signal).catch(async (error: unknown) => {
    await disconnect();
    throw error;
  });

  let relay: Relay | undefined;
  const outbox: Outbox = { orm, service: name, tells: tells[name], wake: () => relay?.wake() };
  const parts: ServiceParts = { orm, pool, outbox, authorizer, log, now, stopping: stop.signal, registry: measured?.registry, tracer };
  const hearing: Hearing = { tellers: tellersTo(name), subscriptions: definition.subscriptions?.(parts) ?? [] };

  const dependencies: Dependency[] = [
    { name: 'postgresql', critical: true, isUp: () => clock.look().then(() => true) },
    { name: 'cerbos', critical: true, isUp: () => authorizer.isUp() },
    { name: 'nats', critical: false, isUp: async () => broker !== undefined && (await broker.connection.flush(), true) },
    ...(definition.dependencies ?? []),
  ];
  const server = createServer();
  const contextFor = callFrom({ verify: createPrincipalVerifier(config.principalJwks), authorizer, outbox, log, now, tracer });
  const serving = { log, translate, watch: measured?.watchCalls, tracer };
  serve(server, definition.service, contextFor, definition.handlers(parts), serving);
  serve(
    server,
    OperationsService,
    contextFor,
    operationsHandlers(outbox, hearing, { deployment: config.deployment, dependencies }),
    serving,
  );
  const running = await listen(server, config.listen, tls && { identity: tls, callers: callers[name], log });
  let isServing = false;
  const setServing = (now: boolean) => {
    isServing = now;
    running.setServing(now);
  };
  setServing(isSchemaThere);
  const certificates = tls?.watch(log);

  let consumer: RunningConsumer | undefined;
  let closed = false;
  connecting.then(
    (connected) => {
      if (closed) return;
      broker = connected;
      const { namespace } = config;
      connected.connection.subscribe(policiesOf(namespace), { callback: (_, { subject }) => onPolicyNews(authorizer, subject) });
      const sender = startRelay({
        broker,
        databaseUrl: config.databaseUrl,
        tls,
        namespace,
        service: name,
        log,
        watch: measured?.watchEvents,
        tracer,
      });
      relay = sender;
      consumer = startConsumer({
        broker,
        outbox,
        namespace,
        service: name,
        ...hearing,
        log,
        isLeader: sender.isLeader,
        now,
        backOffMs,
        watch: measured?.watchEvents,
        tracer,
      });
    },
    () => undefined,
  );
  const health = setInterval(() => {
    clock.look().then(
      () => setServing(isSchemaThere && !closed),
      () => setServing(false),
    );
  }, healthCheckMs);
  let metrics: MetricsServer | undefined;
  if (measured && config.metricsListen) {
    const { registry } = measured;
    eventMetrics({ outbox, namespace: config.namespace, producers: listensTo[name], broker: () => broker }, registry);
    poolMetrics(pool, registry);
    if (tls) certificateMetric(tls, registry);
    metrics = await serveMetrics(registry, config.metricsListen, {
      isReady: () => isServing,
      health: async () => healthOf(await lookAtAll(dependencies)),
    });
  }
  const background = definition.background?.(parts);
  log.info({ address: running.address }, 'listening');

  return {
    address: running.address,
    refused,
    metricsAddress: metrics?.address,
    close: async () => {
      closed = true;
      clearInterval(health);
      certificates?.close();
      setServing(false);
      stop.abort();
      await running.close();
      await metrics?.close();
      await background?.close();
      await consumer?.close();
      await relay?.close();
      await disconnect();
    },
  };
};
