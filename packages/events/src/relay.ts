import { setTimeout as delay } from 'node:timers/promises';
import { during, type Logger, type Tracer } from '@accessops/telemetry';
import { databaseAddress, type TlsIdentity } from '@accessops/tls';
import { type ConsumerInfo, NatsError } from 'nats';
import pg from 'pg';
import type { Broker } from './broker.ts';
import { createGather } from './gather.ts';
import { type Ask, isAhead, lineageOf, tellLost } from './lineage.ts';
import type { WatchEvents } from './metrics.ts';
import { createOutboxReader, type OutboxReader } from './outbox-reader.ts';
import { type OutgoingMessage, publish } from './publish.ts';
import { ensureStream } from './stream.ts';
import { streamOf, subjectOf } from './topology.ts';
import { traceSent } from './trace-events.ts';

export interface RelayOptions {
  broker: Broker;
  /** The application login of the service. */
  databaseUrl: string;
  /** Whom to connect as where the address asks for TLS. */
  tls?: TlsIdentity;
  namespace: string;
  service: string;
  log: Logger;
  /** How long delivered events stay for a replay. */
  replayWindowMs?: number;
  cleanUpEveryMs?: number;
  /** Without it nothing is measured. */
  watch?: WatchEvents;
  /** Records events that are part of a trace. */
  tracer?: Tracer;
}

export interface Relay {
  /** Something was put into the outbox. */
  wake(): void;
  /** Whether this instance is the one of its service that sends, and that handles events. */
  isLeader(): boolean;
  close(): Promise<void>;
}

const batchSize = 500;
const pollMs = 50;
const streamCheckMs = 1000;
const noteEveryMs = 200;
const againMs = 200;
const hour = 3_600_000;
const week = 7 * 24 * hour;

/** Whoever has nothing before them has handled everything, whether it was for them or not. */
const handledThrough = ({ ack_floor, num_pending, num_ack_pending }: ConsumerInfo): number =>
  num_pending + num_ack_pending === 0 ? Number.MAX_SAFE_INTEGER : ack_floor.stream_seq;

/**
 * Sends a service's outbox to its stream, in order. Of several instances one is the sender at a time (session advisory lock).
 * How far it came is noted after the stream has the events, so a sender that dies in between sends again under the same message
 * ids. When the stream turns out to be another incarnation, everything in the replay window is sent again. Nothing is sent, and nothing
 * handled, while the stream has events that the database does not know.
 */
export const startRelay = ({
  broker,
  databaseUrl,
  tls,
  namespace,
  service,
  log,
  replayWindowMs = week,
  cleanUpEveryMs = hour,
  watch,
  tracer,
}: RelayOptions): Relay => {
  const abort = new AbortController();
  let dirty = false;
  let ring: (() => void) | undefined;
  let client: pg.Client | undefined;
  let leads = false;
  const gather = createGather();

  const wake = () => {
    dirty = true;
    ring?.();
  };

  const idle = async () => {
    if (dirty) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pollMs);
      ring = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    ring = undefined;
  };

  const open = async (): Promise<pg.Client> => {
    const next = new pg.Client({
      ...databaseAddress(databaseUrl, tls),
      // A note that a crash takes back only means that events are sent again, which nobody notices. Plans are kept for as long as the
      // connection lives: none is to be made for a table that happens to be empty then.
      options: `-c search_path=${service} -c app.all_tenants=on -c synchronous_commit=off -c enable_seqscan=off`,
      connectionTimeoutMillis: 1000,
      application_name: `${service}-relay`,
    });
    next.on('error', (error) => {
      leads = false;
      log.warn({ err: error }, 'relay lost its database connection');
    });
    await next.connect();
    return next;
  };

  const lead = async (db: pg.Client) => {
    for (;;) {
      const { rows } = await db.query<{ taken: boolean }>(`select pg_try_advisory_lock(hashtext($1)) as taken`, [
        `relay ${namespace} ${service}`,
      ]);
      if (rows[0]?.taken) return;
      await delay(500, undefined, { signal: abort.signal });
    }
  };

  const streamName = `${namespace}.${service}`;

  /** Where to go on; at the beginning when the stream is another than before. */
  const sentThroughOf = async (db: pg.Client, created: string): Promise<number> => {
    const known = 'select created, sent_through::float8 from outbox_stream where name = $1';
    const { rows } = await db.query<{ created: string; sent_through: number }>(known, [streamName]);
    if (rows[0]?.created === created) return rows[0].sent_through;
    await db.query('begin');
    await db.query('delete from outbox_mark where name = $1', [streamName]);
    const { rows: fresh } = await db.query<{ sent_through: number }>(
      `insert into outbox_stream as s (name, created, sent_through) values ($1, $2, coalesce((select min(id) - 1 from outbox_event), 0))
       on conflict (name) do update set created = excluded.created,
         sent_through = coalesce((select min(id) - 1 from outbox_event), s.sent_through)
       returning sent_through::float8`,
      [streamName, created],
    );
    await db.query('commit');
    if (rows[0]) log.warn('the stream is new: the outbox is sent again');
    return fresh[0]?.sent_through ?? 0;
  };

  const tell = (message: OutgoingMessage) => {
    if (!tracer) return publish(broker, namespace, service, message);
    const { span, headers } = traceSent(tracer, message, subjectOf(namespace, service, message.type));
    return during(span, () => publish(broker, namespace, service, { ...message, headers }));
  };

  const send = async (reader: OutboxReader): Promise<{ count: number; sequence: number }> => {
    const rows = await reader.next(batchSize);
    const acknowledged = await Promise.all(
      rows.map(({ event_id, type, payload, headers }) => tell({ type, payload, headers, messageId: event_id })),
    );
    reader.didSend(rows);
    if (watch) for (const { type } of rows) watch.sent(type);
    return { count: rows.length, sequence: Math.max(0, ...acknowledged.map(({ seq }) => seq)) };
  };

  /** Forgets what every consumer has acknowledged and nobody will want replayed, by the marks of earlier clean-ups. */
  const cleanUp = async (db: pg.Client, sentThrough: number, sequence: number) => {
    const consumers = await broker.jsm.consumers.list(streamOf(namespace, service)).next();
    const delivered = Math.min(...consumers.map(handledThrough));
    if (consumers.length > 0) {
      const { rows } = await db.query<{ through: string | null }>(
        'select max(sent_through) as through from outbox_mark where name = $1 and made_at < $2 and stream_sequence <= $3',
        [streamName, new Date(Date.now() - replayWindowMs), delivered],
      );
      const through = rows[0]?.through ?? null;
      if (through !== null) {
        await db.query('delete from outbox_event where id <= $1', [through]);
        await db.query('delete from outbox_mark where name = $1 and sent_through < $2', [streamName, through]);
      }
    }
    if (sequence > 0) {
      const mark = 'insert into outbox_mark (name, sent_through, stream_sequence, made_at) values ($1, $2, $3, $4) on conflict do nothing';
      await db.query(mark, [streamName, sentThrough, sequence, new Date()]);
    }
    await db.query('delete from inbox_event where processed_at < $1', [new Date(Date.now() - 4 * replayWindowMs)]);
    await db.query(`delete from idempotent_reply where created_at < now() - interval '1 day'`);
  };

  const run = async (db: pg.Client) => {
    await lead(db);
    const ask: Ask = async (sql, values) => (await db.query(sql, values)).rows;
    const lineageParts = { jsm: broker.jsm, ask, stream: streamOf(namespace, service) };
    let checkedAt = 0;
    let isTold = false;
    let cleanedAt = Date.now();
    let notedAt = 0;
    let created: string | undefined;
    let noted = 0;
    let sequence = 0;
    let reader = createOutboxReader(db, 0);
    const note = async () => {
      if (reader.sentThrough() <= noted) return;
      noted = reader.sentThrough();
      await db.query({
        name: 'relay-note',
        text: 'update outbox_stream set sent_through = $2 where name = $1',
        values: [streamName, noted],
      });
    };
    const checkStream = async (): Promise<boolean> => {
      const found = await ensureStream(broker, namespace, service, await lineageOf(ask), () => tellLost(lineageParts, log));
      if (found !== created) {
        if (await isAhead(lineageParts, replayWindowMs / 2)) {
          if (!isTold)
            log.error('the stream is ahead of the database, which has lost events: run recover.js (docs/operations.md, Restore)');
          isTold = true;
          return false;
        }
        noted = await sentThroughOf(db, found);
        reader = createOutboxReader(db, noted);
        sequence = 0;
        created = found;
      }
      leads = true;
      checkedAt = Date.now();
      return true;
    };
    const sendNext = async () => {
      if (Date.now() - checkedAt > streamCheckMs && !(await checkStream())) {
        await delay(streamCheckMs, undefined, { signal: abort.signal });
        return;
      }
      if (Date.now() - cleanedAt > cleanUpEveryMs) {
        await cleanUp(db, reader.sentThrough(), sequence);
        cleanedAt = Date.now();
      }
      dirty = false;
      const sent = await send(reader);
      sequence = Math.max(sequence, sent.sequence);
      if (Date.now() - notedAt > noteEveryMs) {
        await note();
        notedAt = Date.now();
      }
      gather.did(sent.count);
      if (sent.count < batchSize) {
        await idle();
        await gather();
      }
    };
    while (!abort.signal.aborted) {
      if (!broker.isUp()) {
        // What is sent now would only wait for its timeout; the stream may be another one when the server is back.
        checkedAt = 0;
        await delay(pollMs, undefined, { signal: abort.signal });
        continue;
      }
      try {
        await sendNext();
      } catch (error) {
        if (!(error instanceof NatsError)) throw error;
        // Whoever leads by the database goes on leading: a server that stands still for a moment answers after that.
        log.warn({ err: error }, 'NATS does not take events');
        checkedAt = 0;
        await delay(againMs, undefined, { signal: abort.signal });
      }
    }
    await note();
  };

  const loop = async () => {
    while (!abort.signal.aborted) {
      try {
        client = await open();
        await run(client);
      } catch (error) {
        if (!abort.signal.aborted) {
          log.warn({ err: error }, 'relay starts over');
          await delay(againMs, undefined, { signal: abort.signal }).catch(() => undefined);
        }
      } finally {
        leads = false;
        await client?.end().catch((error: unknown) => log.debug({ err: error }, 'relay connection was gone'));
      }
    }
  };
  const finished = loop();

  return {
    wake,
    isLeader: () => leads,
    close: async () => {
      abort.abort();
      ring?.();
      await finished;
    },
  };
};
