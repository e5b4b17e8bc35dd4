import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@accessops/telemetry';
import pg from 'pg';
import type { Broker } from './broker.ts';
import { createGather } from './gather.ts';
import { publish } from './publish.ts';
import { ensureStream } from './stream.ts';

export interface RelayOptions {
  broker: Broker;
  /** The application login of the service. */
  databaseUrl: string;
  namespace: string;
  service: string;
  log: Logger;
  /** How long delivered events stay for a replay. */
  replayWindowMs?: number;
  cleanUpEveryMs?: number;
}

export interface Relay {
  /** Something was put into the outbox. */
  wake(): void;
  close(): Promise<void>;
}

const batchSize = 500;
const pollMs = 50;
const streamCheckMs = 1000;
const hour = 3_600_000;
const week = 7 * 24 * hour;

interface Row {
  id: string;
  event_id: string;
  type: string;
  payload: Buffer;
  headers: Record<string, string>;
}

/**
 * Sends a service's outbox to its stream, in order. Of several instances one is the sender at a time (session advisory lock).
 * Events are marked after the stream has them, so a sender that dies in between sends again under the same message id.
 * When the stream turns out to be another incarnation, everything in the replay window is sent again.
 */
export const startRelay = ({
  broker,
  databaseUrl,
  namespace,
  service,
  log,
  replayWindowMs = week,
  cleanUpEveryMs = hour,
}: RelayOptions): Relay => {
  const abort = new AbortController();
  let dirty = false;
  let ring: (() => void) | undefined;
  let client: pg.Client | undefined;
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
      connectionString: databaseUrl,
      // A mark that a crash takes back only means that the event is sent again, which nobody notices.
      options: `-c search_path=${service} -c app.all_tenants=on -c synchronous_commit=off`,
      connectionTimeoutMillis: 1000,
      application_name: `${service}-relay`,
    });
    next.on('error', (error) => log.warn({ err: error }, 'relay lost its database connection'));
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

  const followStream = async (db: pg.Client) => {
    const created = await ensureStream(broker, namespace, service);
    const name = `${namespace}.${service}`;
    const { rows } = await db.query<{ created: string }>('select created from outbox_stream where name = $1', [name]);
    if (rows[0]?.created === created) return;
    await db.query('begin');
    const { rowCount } = await db.query('update outbox_event set published_at = null where published_at is not null');
    await db.query(
      'insert into outbox_stream (name, created) values ($1, $2) on conflict (name) do update set created = excluded.created',
      [name, created],
    );
    await db.query('commit');
    if (rowCount) log.warn({ events: rowCount }, 'the stream is new: the outbox is sent again');
  };

  const send = async (db: pg.Client): Promise<number> => {
    const { rows } = await db.query<Row>({
      name: 'relay-unpublished',
      text: `select id, event_id, type, payload, headers from outbox_event where published_at is null order by id limit ${batchSize}`,
    });
    if (rows.length === 0) return 0;
    const acknowledged = await Promise.all(
      rows.map(({ event_id, type, payload, headers }) =>
        publish(broker, namespace, service, { type, payload, headers, messageId: event_id }),
      ),
    );
    await db.query({
      name: 'relay-published',
      text: `update outbox_event set published_at = now(), stream_sequence = done.sequence
             from unnest($1::bigint[], $2::bigint[]) as done (id, sequence) where outbox_event.id = done.id`,
      values: [rows.map(({ id }) => id), acknowledged.map(({ seq }) => seq)],
    });
    return rows.length;
  };

  /** Forgets what every consumer has acknowledged and nobody will want replayed. */
  const cleanUp = async (db: pg.Client) => {
    const consumers = await broker.jsm.consumers.list(`${namespace}_${service}`.toUpperCase()).next();
    if (consumers.length === 0) return;
    const delivered = Math.min(...consumers.map(({ ack_floor }) => ack_floor.stream_seq));
    const before = new Date(Date.now() - replayWindowMs);
    await db.query('delete from outbox_event where published_at < $1 and stream_sequence <= $2', [before, delivered]);
    await db.query('delete from inbox_event where processed_at < $1', [new Date(Date.now() - 4 * replayWindowMs)]);
    await db.query(`delete from idempotent_reply where created_at < now() - interval '1 day'`);
  };

  const run = async (db: pg.Client) => {
    await lead(db);
    let checkedAt = 0;
    let cleanedAt = Date.now();
    while (!abort.signal.aborted) {
      if (!broker.isUp()) {
        // What is sent now would only wait for its timeout; the stream may be another one when the server is back.
        checkedAt = 0;
        await delay(pollMs, undefined, { signal: abort.signal });
        continue;
      }
      if (Date.now() - checkedAt > streamCheckMs) {
        await followStream(db);
        checkedAt = Date.now();
      }
      if (Date.now() - cleanedAt > cleanUpEveryMs) {
        await cleanUp(db);
        cleanedAt = Date.now();
      }
      dirty = false;
      const sent = await send(db);
      gather.did(sent);
      if (sent < batchSize) {
        await idle();
        await gather();
      }
    }
  };

  const loop = async () => {
    while (!abort.signal.aborted) {
      try {
        client = await open();
        await run(client);
      } catch (error) {
        if (!abort.signal.aborted) {
          log.warn({ err: error }, 'relay starts over');
          await delay(200, undefined, { signal: abort.signal }).catch(() => undefined);
        }
      } finally {
        await client?.end().catch((error: unknown) => log.debug({ err: error }, 'relay connection was gone'));
      }
    }
  };
  const finished = loop();

  return {
    wake,
    close: async () => {
      abort.abort();
      ring?.();
      await finished;
    },
  };
};
