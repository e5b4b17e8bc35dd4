import { setTimeout as delay } from 'node:timers/promises';
import { isDatabaseDown, newId } from '@accessops/db';
import { type Logger, parseTraceparent, type Tracer } from '@accessops/telemetry';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { ConsumerMessages, JsMsg } from 'nats';
import { v5 } from 'uuid';
import { type Broker, isMissing } from './broker.ts';
import { park, textOf } from './dead-letter.ts';
import { type Event, eventOf, plainHeaders } from './event.ts';
import { createGather } from './gather.ts';
import { createDispatch, type EventContext, type Hearing, type Subscription } from './handler.ts';
import { takeFresh } from './inbox.ts';
import { lineageOf } from './lineage.ts';
import type { WatchEvents } from './metrics.ts';
import { refusalOf } from './provenance.ts';
import { ensureConsumer, lineageIn } from './stream.ts';
import { everyType, streamOf, toldOn } from './topology.ts';
import { handleTraced } from './trace-events.ts';
import { type Outbox, unitOfWork } from './unit-of-work.ts';

export interface ConsumerOptions extends Hearing {
  broker: Broker;
  outbox: Outbox;
  namespace: string;
  /** The service that listens. */
  service: string;
  log: Logger;
  /** Whether this instance is the one that handles events: of several, one at a time keeps their order. Default: yes. */
  isLeader?: () => boolean;
  now?: () => Date;
  /** Pauses between attempts; one more attempt than pauses is made, then the event is parked. */
  backOffMs?: number[];
  /** Without it nothing is measured. */
  watch?: WatchEvents;
  /** Records events that are part of a trace. */
  tracer?: Tracer;
}

export interface RunningConsumer {
  close(): Promise<void>;
}

const batchSize = 200;
const checkEveryMs = 1000;
// Tenants do not wait for each other, as long as some connections are left for calls.
const tenantsAtOnce = 4;

interface Delivery {
  message: JsMsg;
  event: Event;
}

const producerOf = ({ subject }: JsMsg): string => toldOn(subject).producer;

/** How log lines name an event: with whose it is, and the call that it goes back to. */
const aboutEvent = ({ id, type, tenantId, origin }: Event) => ({
  event: type,
  event_id: id,
  tenant: tenantId,
  request_id: origin.requestId,
  trace_id: parseTraceparent(origin.traceparent)?.traceId,
});

const headerReader = (message: JsMsg) => (name: string) => message.headers?.get(name) ?? '';

/**
 * Feeds the events of other services to their handlers, each with one effect: handling and its record are one transaction.
 * What arrives together is handled together, whoever told it, in one transaction per tenant; when that fails, one by one. An event that keeps failing is
 * retried with back-off and then parked; only events of its own aggregate wait for it.
 */
export const startConsumer = (options: ConsumerOptions): RunningConsumer => {
  const { broker, outbox, namespace, service, tellers, subscriptions, log, watch: flow, tracer } = options;
  const now = options.now ?? (() => new Date());
  const isLeader = options.isLeader ?? (() => true);
  const backOffMs = options.backOffMs ?? [50, 200, 800, 2000];
  const subscriptionTo = createDispatch(subscriptions);
  const types = [...new Set(subscriptions.map(({ type }) => type))];
  const typesOf = (producer: string) => types.filter((type) => type === everyType || tellers[producer]?.includes(type));
  // A consumer that asks for nothing in particular would be handed everything.
  const producers = Object.keys(tellers).filter((producer) => typesOf(producer).length > 0);
  const abort = new AbortController();
  const queue: JsMsg[] = [];
  /** What was handed to us and is not acknowledged. */
  const held = new Set<JsMsg>();
  const lanes = new Map<string, Delivery[]>();
  const gather = createGather();
  const running = new Set<Promise<void>>();
  let ring: (() => void) | undefined;
  const open = new Map<string, ConsumerMessages>();

  const contextOf = (em: EntityManager, event: Event): EventContext => ({
    em,
    event,
    log,
    now,
    tenantId: event.tenantId,
    origin: event.origin,
    actor: { id: service, type: 'system', email: '' },
  });

  /** Events in their order, those next to each other that one handler takes together. */
  const runsOf = (fresh: Event[]): [Subscription, Event[]][] => {
    const runs: [Subscription, Event[]][] = [];
    for (const event of fresh) {
      const subscription = subscriptionTo(event.type);
      const last = runs.at(-1);
      if (!subscription) continue;
      if (last && last[0].runTogether && last[0].runTogether === subscription.runTogether) last[1].push(event);
      else runs.push([subscription, [event]]);
    }
    return runs;
  };

  const applyFresh = async (em: EntityManager, fresh: Event[]) => {
    for (const [subscription, events] of runsOf(fresh)) {
      const contexts = events.map((event) => contextOf(em, event));
      if (subscription.runTogether) await subscription.runTogether(contexts);
      else for (const ctx of contexts) await subscription.run(ctx);
      await em.flush();
    }
  };

  const applyOnce = (tenantId: string, events: Event[]) =>
    unitOfWork(outbox, { tenantId }, async (em) => {
      const fresh = await takeFresh(
        em,
        events.map(({ id }) => id),
        now(),
      );
      const seen = new Set<string>();
      await applyFresh(
        em,
        events.filter(({ id }) => fresh.has(id) && !seen.has(id) && seen.add(id)),
      );
    });

  const apply = (tenantId: string, events: Event[]) => handleTraced(tracer, service, events, (traced) => applyOnce(tenantId, traced));

  const acknowledge = (message: JsMsg) => {
    held.delete(message);
    message.ack();
  };

  /** For whoever leads now, or next. */
  const giveBack = (message: JsMsg, afterMs?: number) => {
    held.delete(message);
    message.nak(afterMs);
  };

  const done = ({ message, event }: Delivery) => {
    flow?.handled(producerOf(message), event);
    acknowledge(message);
  };

  const handleOne = async ({ message, event }: Delivery): Promise<void> => {
    for (let attempt = 1; ; ) {
      try {
        await apply(event.tenantId, [event]);
        return done({ message, event });
      } catch (error) {
        if (abort.signal.aborted) return;
        message.working();
        if (isDatabaseDown(error)) {
          await delay(200, undefined, { signal: abort.signal });
          continue;
        }
        flow?.failed(producerOf(message));
        const pause = backOffMs[attempt - 1];
        log.warn({ ...aboutEvent(event), err: error, attempt }, 'event could not be handled');
        if (pause === undefined) return parkOne({ message, event }, error, attempt);
        await delay(pause * (0.5 + Math.random()), undefined, { signal: abort.signal });
        attempt++;
      }
    }
  };

  const putAside = (em: EntityManager, { message, event }: Delivery, error: string, attempts: number) =>
    park(em, { event, subject: message.subject, headers: plainHeaders(message), error, attempts, now: now() });

  /** Keeps what its sender had no right to tell, for somebody to look at: its handler never gets it. */
  const refuse = async (message: JsMsg, reason: string) => {
    const { stream, streamSequence, timestampNanos } = message.info;
    // An id of its own, the same whenever it is delivered: by that of another event it would take the place of that.
    const id = v5(`${stream} ${streamSequence} ${timestampNanos}`, v5.URL);
    const parked = { ...eventOf(headerReader(message), message.data, message.subject, () => id), id };
    await unitOfWork(outbox, { tenantId: parked.tenantId }, (em) => putAside(em, { message, event: parked }, reason, 0));
    flow?.failed(producerOf(message));
    acknowledge(message);
    log.error({ ...aboutEvent(parked), subject: message.subject, reason }, 'event was refused, and parked');
  };

  const refuseAll = (refused: [JsMsg, string][]) =>
    Promise.all(
      refused.map(async ([message, reason]) => {
        await refuse(message, reason).catch((error: unknown) => {
          log.warn({ err: error, reason }, 'event could not be parked; the stream delivers it again');
          giveBack(message, 1000);
        });
      }),
    );

  const parkOne = async ({ message, event }: Delivery, error: unknown, attempts: number) => {
    await unitOfWork(outbox, { tenantId: event.tenantId }, async (em) => {
      const fresh = await takeFresh(em, [event.id], now());
      if (fresh.size > 0) await putAside(em, { message, event }, textOf(error), attempts);
    });
    acknowledge(message);
    log.error({ ...aboutEvent(event), err: error, attempts }, 'event was parked');
  };

  const runLane = async (aggregateId: string, lane: Delivery[]) => {
    try {
      for (let next = lane[0]; next && !abort.signal.aborted; next = lane[0]) {
        await handleOne(next);
        lane.shift();
      }
    } catch (error) {
      if (abort.signal.aborted) return;
      log.error({ err: error, aggregate: aggregateId }, 'lane broke off; the stream delivers what is left again');
      for (const { message } of lane) giveBack(message, 1000);
    } finally {
      lanes.delete(aggregateId);
    }
  };

  /** Events of an aggregate that has failed wait for it in its lane; all others flow on. */
  const openLane = (delivery: Delivery) => {
    const { aggregateId } = delivery.event;
    const lane = lanes.get(aggregateId);
    if (lane) {
      lane.push(delivery);
      return;
    }
    const opened = [delivery];
    lanes.set(aggregateId, opened);
    const done = runLane(aggregateId, opened).finally(() => running.delete(done));
    running.add(done);
  };

  const handleTogether = async (tenantId: string, deliveries: Delivery[]) => {
    for (;;) {
      try {
        await apply(
          tenantId,
          deliveries.map(({ event }) => event),
        );
        return deliveries.forEach(done);
      } catch (error) {
        if (abort.signal.aborted) return;
        if (!isDatabaseDown(error)) break;
        for (const { message } of deliveries) message.working();
        await delay(200, undefined, { signal: abort.signal });
      }
    }
    for (const delivery of deliveries) openLane(delivery);
  };

  const handleBatch = async (batch: JsMsg[]) => {
    const byTenant = new Map<string, Delivery[]>();
    const refused: [JsMsg, string][] = [];
    for (const message of batch) {
      const reason = refusalOf(tellers, message.subject, plainHeaders(message));
      if (reason !== undefined) {
        refused.push([message, reason]);
        continue;
      }
      const event = eventOf(headerReader(message), message.data, message.subject, newId);
      if (!subscriptionTo(event.type)) acknowledge(message);
      else if (lanes.has(event.aggregateId)) openLane({ message, event });
      else {
        const deliveries = byTenant.get(event.tenantId);
        if (deliveries) deliveries.push({ message, event });
        else byTenant.set(event.tenantId, [{ message, event }]);
      }
    }
    const tenants = byTenant.entries();
    const handleNext = async () => {
      for (const [tenantId, deliveries] of tenants) await handleTogether(tenantId, deliveries);
    };
    await Promise.all(Array.from({ length: Math.min(tenantsAtOnce, byTenant.size) }, handleNext));
    await refuseAll(refused);
  };

  const work = async () => {
    while (!abort.signal.aborted) {
      if (queue.length === 0) {
        await new Promise<void>((resolve) => {
          ring = resolve;
        });
        ring = undefined;
      }
      // A batch that is full already waits for nobody.
      if (queue.length < batchSize) await gather();
      const batch = queue.splice(0, batchSize);
      if (!isLeader()) {
        // A moment later, since it may still be this subscription that they would come back to.
        for (const message of batch) giveBack(message, 500);
        continue;
      }
      await handleBatch(batch).catch((error: unknown) => {
        if (!abort.signal.aborted) log.error({ err: error }, 'batch broke off; the stream delivers it again');
      });
      gather.did(batch.length);
    }
  };

  /** Whether a stream has events of the line that our own database is on: the producer's is the same one, and may not have replaced it yet. */
  const isOfOurLine = async (producer: string): Promise<boolean> => {
    const { config } = await broker.jsm.streams.info(streamOf(namespace, producer));
    const em = outbox.orm.em.fork();
    return lineageIn(config) === (await lineageOf((sql) => em.execute(sql)));
  };

  const subscribe = async (producer: string) => {
    if (!(await isOfOurLine(producer))) return;
    await ensureConsumer(broker, namespace, { producer, service, types: typesOf(producer) });
    const consumer = await broker.js.consumers.get(streamOf(namespace, producer), service);
    const messages = await consumer.consume({
      max_messages: 1000,
      expires: 5000,
      callback: (message) => {
        queue.push(message);
        held.add(message);
        ring?.();
      },
    });
    open.set(producer, messages);
  };

  const unsubscribe = async (producer: string) => {
    const messages = open.get(producer);
    open.delete(producer);
    await messages?.close();
  };

  /** A stream that is not there yet, or was wiped, gets its consumer again as soon as it is back. */
  const watch = async (producer: string) => {
    while (!abort.signal.aborted) {
      try {
        if (!isLeader()) await unsubscribe(producer);
        else if (open.has(producer)) await broker.jsm.consumers.info(streamOf(namespace, producer), service);
        else await subscribe(producer);
      } catch (error) {
        if (isMissing(error)) await unsubscribe(producer);
        else if (!abort.signal.aborted) log.debug({ err: error, producer }, 'consumer cannot be reached');
      }
      await delay(open.has(producer) ? checkEveryMs : 200, undefined, { signal: abort.signal }).catch(() => undefined);
    }
    // It may have been opened while the end began: what it is handed would wait for somebody who is gone.
    await unsubscribe(producer);
  };

  const finished = [work(), ...producers.map(watch)];
  return {
    close: async () => {
      abort.abort();
      ring?.();
      await Promise.all([...finished, ...running]);
      // The stream would wait for us before it hands them to anybody else.
      for (const message of held) giveBack(message);
    },
  };
};
