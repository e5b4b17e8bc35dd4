import { createHash } from 'node:crypto';
import { AppError } from '@accessops/errors';

/** Something to tell. */
export interface StreamedEvent {
  event: string;
  data: unknown;
  /** Nothing follows. */
  isLast: boolean;
}

/** What a stream is made of. */
export interface StreamSource {
  /** Whose it is. */
  owner: string;
  /** The Last-Event-ID of somebody who comes back. */
  lastEventId: string;
  /** Whether its owner may still have it; asked again and again. */
  isStillAllowed(): Promise<boolean>;
  /** The state first, then what becomes of it, until `signal` says that nobody listens any more. */
  events(signal: AbortSignal): AsyncIterable<StreamedEvent>;
}

/** Server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has them. */
export interface EventStreams {
  /** An answer that goes on. An error before the first event is thrown. Errors: TOO_MANY_REQUESTS. */
  open(source: StreamSource): Promise<Response>;
  /** Ends all streams: their clients come back, with the id of what they have seen last. */
  close(): void;
}

const streamsOfOne = 10;
const checkEveryMs = 300;
const heartbeatMs = 10_000;

const encoder = new TextEncoder();
const heartbeat = encoder.encode(':\n\n');
const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };

/** Events are states: one that is the same has the same id, whichever instance tells it. */
const idOf = (data: string): string => createHash('sha256').update(data).digest('base64url').slice(0, 16);

const encode = ({ event, data }: StreamedEvent): { id: string; bytes: Uint8Array } => {
  const text = JSON.stringify(data);
  const id = idOf(text);
  return { id, bytes: encoder.encode(`id: ${id}\nevent: ${event}\ndata: ${text}\n\n`) };
};

/** The streams of one gateway. */
export const createEventStreams = (): EventStreams => {
  const counts = new Map<string, number>();
  const running = new Set<() => void>();

  const enter = (owner: string): (() => void) => {
    const count = counts.get(owner) ?? 0;
    if (count >= streamsOfOne)
      throw new AppError('TOO_MANY_REQUESTS', `${streamsOfOne} streams are open already`, { members: { retryAfter: 1 } });
    counts.set(owner, count + 1);
    return () => {
      const left = (counts.get(owner) ?? 1) - 1;
      if (left === 0) counts.delete(owner);
      else counts.set(owner, left);
    };
  };

  const open: EventStreams['open'] = async ({ owner, lastEventId, isStillAllowed, events }) => {
    const leave = enter(owner);
    const abort = new AbortController();
    const iterator = events(abort.signal)[Symbol.asyncIterator]();
    let first: IteratorResult<StreamedEvent> | undefined;
    try {
      first = await iterator.next();
    } catch (error) {
      leave();
      throw error;
    }
    if (!first.done && encode(first.value).id === lastEventId) {
      if (first.value.isLast) {
        abort.abort();
        leave();
        // Tells a browser not to come back.
        return new Response(null, { status: 204 });
      }
      first = undefined;
    }

    let beat: NodeJS.Timeout;
    let end = () => {};
    let ended = false;
    let sentAt = performance.now();
    const release = () => {
      if (ended) return;
      ended = true;
      clearInterval(beat);
      running.delete(end);
      abort.abort();
      leave();
    };
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const send = (bytes: Uint8Array) => {
          controller.enqueue(bytes);
          sentAt = performance.now();
        };
        end = () => {
          if (ended) return;
          release();
          controller.close();
        };
        running.add(end);
        let checking = false;
        const check = async () => {
          if (checking) return;
          checking = true;
          const allowed = await isStillAllowed().catch(() => false);
          checking = false;
          if (!allowed) end();
          // Who does not take what there is hears no heartbeats.
          else if (!ended && performance.now() - sentAt >= heartbeatMs && (controller.desiredSize ?? 0) > 0) send(heartbeat);
        };
        beat = setInterval(() => void check(), checkEveryMs);
        send(heartbeat);
      },
      pull: async (controller) => {
        const next = first ?? (await iterator.next().catch(() => undefined));
        first = undefined;
        if (ended) return;
        if (!next || next.done) return end();
        controller.enqueue(encode(next.value).bytes);
        sentAt = performance.now();
      },
      cancel: release,
    });
    return new Response(body, { headers });
  };

  return {
    open,
    close: () => {
      for (const end of running) end();
    },
  };
};
