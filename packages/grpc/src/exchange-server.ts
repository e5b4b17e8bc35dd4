import {
  type Call,
  type ExchangeRequest,
  ExchangeResponseSchema,
  type ReplySchema,
  TransportService,
} from '@accessops/proto/accessops/transport/v1/transport_pb';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type handleBidiStreamingCall, Metadata, type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { createBatch, isTooLarge, largest } from './batch.ts';
import { serviceDefinition } from './service-definition.ts';
import { statusTrailer } from './status-details.ts';

/** What came of a call: its serialized reply, or a status. */
export type Answered = { response: Uint8Array; trailer: Metadata } | { code: number; metadata: Metadata };

/** A call as it came. */
export interface Arrived {
  request: Uint8Array;
  metadata: Metadata;
  /** Tells once when the caller has gone or its deadline has passed; at once if that is so already. */
  onGone(listener: () => void): void;
}

/** Answers a unary call; does not throw. */
export type Answer = (call: Arrived) => Promise<Answered>;

type Stream = ServerDuplexStream<object, object>;
type ReplyInit = MessageInitShape<typeof ReplySchema>;

const replyOf = (id: number, answered: Answered): ReplyInit => {
  if (!('response' in answered)) return { id, code: answered.code, status: answered.metadata.get(statusTrailer)[0] as Buffer };
  const { response, trailer } = answered;
  if (isTooLarge(response, largest.response)) return { id, code: status.RESOURCE_EXHAUSTED };
  return { id, response, trailer: trailer.getMap() as Record<string, string> };
};

/** Serves one stream of calls, whose caller goes elsewhere after `ageMs`, more or less; answers what tells it to do so before. */
const serveStream = (stream: Stream, answers: ReadonlyMap<string, Answer>, ageMs: number, onOver: () => void): (() => void) => {
  /** What is running, by its id: what to do when its caller has gone. */
  const running = new Map<number, () => void>();
  let callerIsDone = false;
  let isOpen = true;

  const write = (message: MessageInitShape<typeof ExchangeResponseSchema>) => {
    if (isOpen) stream.write(create(ExchangeResponseSchema, message));
  };
  const stop = () => write({ stopping: true });
  const aged = setTimeout(stop, ageMs * (0.9 + 0.2 * Math.random()));
  const shut = () => {
    isOpen = false;
    clearTimeout(aged);
    onOver();
  };
  const { add: reply, flush } = createBatch<ReplyInit>(
    ({ response }) => response?.length ?? 0,
    (replies) => write({ replies }),
  );
  const endWhenDone = () => {
    if (!callerIsDone || running.size > 0 || !isOpen) return;
    flush();
    shut();
    stream.end();
  };

  const take = async ({ id, path, metadata: entries, deadlineMs, request }: Call): Promise<void> => {
    const answer = answers.get(path);
    if (!answer) return reply({ id, code: status.UNIMPLEMENTED });
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
    const arrivedAt = performance.now();
    let isGone = false;
    let listener: (() => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    const gone = () => {
      isGone = true;
      listener?.();
    };
    const onGone: Arrived['onGone'] = (told) => {
      if (isGone) return told();
      listener = told;
      // Only for those who ask: most calls are over long before.
      timer = setTimeout(gone, Math.max(0, deadlineMs - (performance.now() - arrivedAt)));
    };
    running.set(id, gone);
    const answered = await answer({ request, metadata, onGone });
    clearTimeout(timer);
    running.delete(id);
    if (!isGone) reply(replyOf(id, answered));
    endWhenDone();
  };

  stream.on('data', (message: object) => {
    for (const call of (message as ExchangeRequest).calls) {
      if (call.cancelled) running.get(call.id)?.();
      else void take(call);
    }
  });
  const breakOff = () => {
    shut();
    for (const gone of running.values()) gone();
  };
  stream.on('cancelled', breakOff);
  stream.on('error', breakOff);
  stream.on('end', () => {
    callerIsDone = true;
    endWhenDone();
  });
  return stop;
};

/** Unary methods of a server that can be called over one stream. */
export interface ExchangeServer {
  /** Adds a method by its path. */
  add(path: string, answer: Answer): void;
  /** Tells callers to go elsewhere; what they have sent is still answered. Is over when those are that there were. */
  stop(): Promise<void>;
}

/** Adds the exchange to a gRPC server; callers are told to go elsewhere when their stream has lasted for `ageMs`, more or less. */
export const addExchange = (server: Server, ageMs: number): ExchangeServer => {
  const answers = new Map<string, Answer>();
  const lines = new Map<Promise<void>, () => void>();
  let isStopping = false;
  const exchange: handleBidiStreamingCall<object, object> = (stream) => {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const stop = serveStream(stream, answers, ageMs, () => {
      lines.delete(over);
      resolve();
    });
    lines.set(over, stop);
    if (isStopping) stop();
  };
  server.addService(serviceDefinition(TransportService), { exchange });
  return {
    add: (path, answer) => answers.set(path, answer),
    stop: async () => {
      isStopping = true;
      for (const stop of lines.values()) stop();
      await Promise.all(lines.keys());
    },
  };
};
