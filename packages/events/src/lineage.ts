import type { Logger } from '@accessops/telemetry';
import { type JetStreamManager, type MsgRequest, NatsError } from 'nats';
import { isMissing } from './broker.ts';

/** Whatever asks the database of a service. */
export type Ask = <R>(sql: string, values?: unknown[]) => Promise<R[]>;

/**
 * Which line of its history a database is on: that of its latest recovery, empty when it was never restored. A stream carries the line of
 * the events in it: those of another line tell of what never happened here, and may have been handled in what was lost.
 */
export const lineageOf = async (ask: Ask): Promise<string> =>
  (await ask<{ id: string }>('select id::text from recovery order by id desc limit 1'))[0]?.id ?? '';

/** An event in a stream that the database it came from does not know. */
interface Stranger {
  id: string;
  type: string;
  time: Date;
  aggregateId: string;
  tenantId: string;
}

const width = 100;

const read = async (jsm: JetStreamManager, stream: string, query: MsgRequest): Promise<Stranger | undefined> => {
  try {
    const { header, time } = await jsm.streams.getMessage(stream, query);
    const of = (name: string) => header?.get(name) ?? '';
    return { id: of('ce-id'), type: of('ce-type'), time, aggregateId: of('ce-subject'), tenantId: of('ce-tenantid') };
  } catch (error) {
    if (isMissing(error) || (error instanceof NatsError && /no message found/.test(error.message))) return undefined;
    throw error;
  }
};

const strangersAmong = async (ask: Ask, events: Stranger[]): Promise<Stranger[]> => {
  const known = await ask<{ event_id: string }>('select event_id from outbox_event where event_id = any($1::uuid[])', [
    events.map(({ id }) => id).filter((id) => /^[\da-f-]{36}$/i.test(id)),
  ]);
  const ids = new Set(known.map(({ event_id }) => event_id));
  return events.filter(({ id }) => !ids.has(id));
};

export interface LineageParts {
  jsm: JetStreamManager;
  ask: Ask;
  stream: string;
}

/**
 * Whether the stream is ahead of the outbox it was filled from: the database has lost its last transactions, in a restore or a fail-over.
 * Events leave the outbox long after the stream; one as old as `keptMs` is not asked for.
 */
export const isAhead = async ({ jsm, ask, stream }: LineageParts, keptMs: number): Promise<boolean> => {
  const { state } = await jsm.streams.info(stream);
  const newest = state.messages > 0 ? await read(jsm, stream, { seq: state.last_seq }) : undefined;
  if (!newest || Date.now() - newest.time.getTime() > keptMs) return false;
  return (await strangersAmong(ask, [newest])).length > 0;
};

/** Writes down which events of a stream the database knows nothing of: what was done in the time that was lost, and may have to be done again. */
export const tellLost = async ({ jsm, ask, stream }: LineageParts, log: Logger): Promise<void> => {
  const { state } = await jsm.streams.info(stream);
  let lost = 0;
  for (let seq = state.last_seq; state.messages > 0 && seq >= state.first_seq; seq -= width) {
    const sequences = Array.from({ length: Math.min(width, seq - state.first_seq + 1) }, (_, index) => seq - index);
    const events = await Promise.all(sequences.map((one) => read(jsm, stream, { seq: one })));
    const strangers = await strangersAmong(
      ask,
      events.filter((event) => event !== undefined),
    );
    for (const event of strangers) log.warn({ lost: event }, 'this happened after the moment to which the database was restored');
    lost += strangers.length;
    if (strangers.length === 0) break;
  }
  log.warn({ lost }, 'the stream is of another line than the database: it is made anew, and the outbox is sent again');
};
