import type { AppError } from '@accessops/errors';
import {
  type CallSchema,
  ExchangeRequestSchema,
  type ExchangeResponse,
  type Reply,
  TransportService,
} from '@accessops/proto/accessops/transport/v1/transport_pb';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type ClientDuplexStream, type Client as GrpcClient, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { createBatch, isTooLarge, largest } from './batch.ts';
import { waitBefore, wasRefused } from './refused.ts';
import { methodDefinition } from './service-definition.ts';
import { fromServiceError, statusTrailer } from './status-details.ts';

/** What goes with a call. */
export interface Sending {
  metadata: Metadata;
  deadlineMs: number;
  signal: AbortSignal | undefined;
  onTrailer: ((trailer: Metadata) => void) | undefined;
}

/** Unary calls that share one stream; see transport.proto. */
export interface Exchange {
  /** Sends a serialized request; answers the serialized reply, or throws the AppError that the call has ended with. */
  call(path: string, request: Uint8Array, sending: Sending): Promise<Uint8Array>;
  close(): void;
}

interface Waiting {
  resolve(reply: Uint8Array): void;
  reject(error: AppError): void;
  onTrailer: Sending['onTrailer'];
  /** Nobody waits any more. */
  forget(): void;
}

type Stream = ClientDuplexStream<object, object>;
type CallInit = MessageInitShape<typeof CallSchema>;

const definition = methodDefinition(TransportService.method.exchange);

const failure = (code: status, details: string, metadata = new Metadata()): AppError =>
  fromServiceError(Object.assign(new Error(details), { code, details, metadata }));

const metadataOf = (entries: Record<string, string>): Metadata => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
  return metadata;
};

const failureOf = ({ code, status: details }: Reply): AppError => {
  const metadata = new Metadata();
  metadata.set(statusTrailer, Buffer.from(details));
  return failure(code, '', metadata);
};

/** What becomes of a stream. */
interface LineEvents {
  /** No more can be sent. */
  onOver(): void;
  /** The server has said that the next calls are to go elsewhere. */
  onMoved(): void;
  /** Nothing comes any more. */
  onEnded(): void;
}

/** One stream and the calls that run in it. */
const openLine = (client: GrpcClient, { onOver, onMoved, onEnded }: LineEvents): Exchange => {
  const stream: Stream = client.makeBidiStreamRequest(
    definition.path,
    definition.requestSerialize as (message: object) => Buffer,
    definition.responseDeserialize,
    new Metadata(),
  );
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let isOpen = true;

  const { add: send, flush } = createBatch<CallInit>(
    ({ request }) => request?.length ?? 0,
    (calls) => {
      if (isOpen) stream.write(create(ExchangeRequestSchema, { calls }));
    },
  );
  const shut = () => {
    isOpen = false;
    onOver();
  };
  const take = (id: number): Waiting | undefined => {
    const found = waiting.get(id);
    waiting.delete(id);
    found?.forget();
    return found;
  };
  const settle = (reply: Reply) => {
    const found = take(reply.id);
    found?.onTrailer?.(metadataOf(reply.trailer));
    if (reply.code === status.OK) found?.resolve(reply.response);
    else found?.reject(failureOf(reply));
  };
  const breakOff = (error: AppError) => {
    shut();
    for (const id of waiting.keys()) take(id)?.reject(error);
    onEnded();
  };

  stream.on('data', (message: object) => {
    const { replies, stopping } = message as ExchangeResponse;
    for (const reply of replies) settle(reply);
    if (!stopping || !isOpen) return;
    // What has been called is still answered; the server ends the stream when it has done that.
    flush();
    shut();
    onMoved();
    stream.end();
  });
  stream.on('error', (error: ServiceError) => breakOff(fromServiceError(error)));
  stream.on('end', () => breakOff(failure(status.UNAVAILABLE, 'the stream has ended')));

  return {
    call: (path, request, { metadata, deadlineMs, signal, onTrailer }) =>
      new Promise<Uint8Array>((resolve, reject: (error: AppError) => void) => {
        if (isTooLarge(request, largest.request)) return reject(failure(status.RESOURCE_EXHAUSTED, 'the request is too large'));
        lastId = (lastId + 1) >>> 0;
        const id = lastId;
        const giveUp = (error: AppError) => {
          take(id);
          send({ id, cancelled: true });
          reject(error);
        };
        const timer = setTimeout(() => giveUp(failure(status.DEADLINE_EXCEEDED, 'the deadline has passed')), deadlineMs);
        const cancel = () => giveUp(failure(status.CANCELLED, 'the caller has gone'));
        const forget = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', cancel);
        };
        waiting.set(id, { resolve, reject, onTrailer, forget });
        if (signal?.aborted) return cancel();
        signal?.addEventListener('abort', cancel, { once: true });
        send({ id, path, metadata: metadata.getMap() as Record<string, string>, deadlineMs, request });
      }),
    close: () => stream.cancel(),
  };
};

/**
 * Calls over one stream, which is opened when it is needed, and again when it is over. Whoever is told to go elsewhere does so by a connection
 * of its own, while calls that run end in the one before: what is between it and several servers decides for each connection where it goes.
 */
export const createExchange = (connect: () => GrpcClient): Exchange => {
  let client: GrpcClient | undefined;
  let line: Exchange | undefined;
  let closed = false;
  const lines = new Map<Exchange, GrpcClient>();
  const current = (): Exchange => {
    if (line) return line;
    client ??= connect();
    const used = client;
    const opened = openLine(used, {
      onOver: () => {
        if (line === opened) line = undefined;
      },
      onMoved: () => {
        if (client === used) client = undefined;
      },
      onEnded: () => {
        lines.delete(opened);
        if (client !== used) setImmediate(() => used.close());
      },
    });
    lines.set(opened, used);
    line = opened;
    return opened;
  };
  /** What no server has taken on is made again, for the time that its caller has left. */
  const call = async (path: string, request: Uint8Array, sending: Sending, attempt = 1): Promise<Uint8Array> => {
    const endsAt = performance.now() + sending.deadlineMs;
    try {
      return await current().call(path, request, sending);
    } catch (error) {
      if (closed || !wasRefused(error) || performance.now() > endsAt || !(await waitBefore(attempt, sending.signal))) throw error;
      const deadlineMs = Math.max(0, Math.ceil(endsAt - performance.now()));
      return call(path, request, { ...sending, deadlineMs }, attempt + 1);
    }
  };
  return {
    call: (path, request, sending) => call(path, request, sending),
    close: () => {
      closed = true;
      for (const [open, used] of lines) {
        open.close();
        used.close();
      }
      client?.close();
    },
  };
};
