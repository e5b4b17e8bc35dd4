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

/** Serves one stream of calls; answers what tells its caller to go elsewhere. */
const serveStream = (stream: Stream, answers: ReadonlyMap<string, Answer>, onOver: () => void): (() => void) => {
  /** What is running, by its id: what to do when its caller has gone. */
  const running = new Map<number, () => void>();
  let callerIsDone = false;
  let isOpen = true;

  const shut = () => {
    isOpen = false;
    onOver();
  };
  const write = (message: MessageInitShape<typeof ExchangeResponseSchema>) => {
    if (isOpen) stream.write(create(ExchangeResponseSchema, message));
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
  return () => write({ stopping: true });
};

/** Unary methods of a server that can be called over one stream. */
export interface ExchangeServer {
  /** Adds a method by its path. */
  add(path: string, answer: Answer): void;
  /** Tells callers to go elsewhere; what they have sent is still answered. */
  stop(): void;
}

/** Adds the exchange to a gRPC server; callers of a stream are told to go elsewhere when it has lasted for `ageMs`. */
export const addExchange = (server: Server, ageMs: number): ExchangeServer => {
  const answers = new Map<string, Answer>();
  const stops = new Set<() => void>();
  const exchange: handleBidiStreamingCall<object, object> = (stream) => {
    const stop = serveStream(stream, answers, () => {
      clearTimeout(aged);
      stops.delete(stop);
    });
    stops.add(stop);
    const aged = setTimeout(stop, ageMs);
  };
  server.addService(serviceDefinition(TransportService), { exchange });
  return {
    add: (path, answer) => answers.set(path, answer),
    stop: () => {
      for (const stop of stops) stop();
    },
  };
};
