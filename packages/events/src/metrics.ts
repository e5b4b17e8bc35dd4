import { transaction } from '@accessops/db';
import { Counter, createDurations, Gauge, type Registry } from '@accessops/telemetry';
import type { Broker } from './broker.ts';
import type { Event } from './event.ts';
import { streamOf } from './topology.ts';
import type { Outbox } from './unit-of-work.ts';

/** Is told what becomes of events. */
export interface WatchEvents {
  /** The stream has it. */
  sent(type: string): void;
  /** What it brings about is committed. */
  handled(producer: string, event: Event): void;
  /** It could not be handled, this time. */
  failed(producer: string): void;
}

/** Measures what a service sends and handles, and how long after it happened. */
export const flowMetrics = (registry: Registry): WatchEvents => {
  const registers = [registry];
  const sent = new Counter({
    name: 'accessops_events_sent_total',
    help: 'Events that have been sent, by type: what happens on the platform.',
    labelNames: ['type'],
    registers,
  });
  const failed = new Counter({
    name: 'accessops_event_failures_total',
    help: 'Attempts to handle an event that have failed.',
    labelNames: ['producer'],
    registers,
  });
  const observeLag = createDurations({
    name: 'accessops_event_lag_seconds',
    help: 'How long after it happened an event of another service was handled.',
    labelNames: ['producer'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600],
    registry,
  });
  return {
    sent: (type) => sent.inc({ type }),
    failed: (producer) => failed.inc({ producer }),
    handled: (producer, { occurredAt, origin }) =>
      observeLag({ producer }, Math.max(0, Date.now() - occurredAt.getTime()) / 1000, origin.traceparent),
  };
};

interface Measured {
  outbox: Outbox;
  namespace: string;
  /** The services that are listened to. */
  producers: readonly string[];
  /** Undefined while there is no connection. */
  broker(): Broker | undefined;
}

const countUnsent = `
  select count(*)::integer as events, coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as seconds from outbox_event
  where id > coalesce((select sent_through from outbox_stream where name = ?), 0)`;

const countParked = `select count(*)::integer as events from dead_letter where status = 'PARKED'`;

/**
 * Whether what a service tells is sent, what it is told is handled, and nothing had to be put aside. Asked when Prometheus asks; every
 * instance answers the same.
 */
export const eventMetrics = ({ outbox, namespace, producers, broker }: Measured, registry: Registry): void => {
  const { orm, service } = outbox;
  const ask = <T>(sql: string, values: string[] = []) => transaction(orm.em, 'all-tenants', (em) => em.execute<T[]>(sql, values));
  const registers = [registry];
  const oldest = new Gauge({
    name: 'accessops_outbox_oldest_unsent_seconds',
    help: 'How long the oldest event waits that has not been sent; 0 when there is none.',
    registers,
  });
  new Gauge({
    name: 'accessops_outbox_unsent',
    help: 'Events that have not been sent.',
    registers,
    async collect() {
      const [unsent] = await ask<{ events: number; seconds: number }>(countUnsent, [`${namespace}.${service}`]);
      this.set(unsent?.events ?? 0);
      oldest.set(unsent?.seconds ?? 0);
    },
  });
  new Gauge({
    name: 'accessops_dead_letters',
    help: 'Events that could not be handled and were put aside.',
    registers,
    async collect() {
      const [parked] = await ask<{ events: number }>(countParked);
      this.set(parked?.events ?? 0);
    },
  });
  new Gauge({
    name: 'accessops_events_waiting',
    help: 'Events of others that wait to be handled, or are being handled; nothing while NATS does not answer.',
    labelNames: ['producer'],
    registers,
    async collect() {
      this.reset();
      const jsm = broker()?.jsm;
      const waiting = producers.map(async (producer) => {
        const consumer = await jsm?.consumers.info(streamOf(namespace, producer), service);
        if (consumer) this.set({ producer }, consumer.num_pending + consumer.num_ack_pending);
      });
      await Promise.allSettled(waiting);
    },
  });
};
