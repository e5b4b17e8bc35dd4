import { AppError } from '@accessops/errors';
import { type Logger, parseTraceparent, type Tracer } from '@accessops/telemetry';
import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { largest } from './batch.ts';
import type { WatchCall } from './call-metrics.ts';
import { type Entrance, serverCredentials } from './credentials.ts';
import { type Answer, type Arrived, addExchange, type ExchangeServer } from './exchange-server.ts';
import { completeReply, methodPath, serviceDefinition } from './service-definition.ts';
import { toStatus } from './status-details.ts';
import { endRefused, traceArrived, traceparentIn } from './trace-calls.ts';

/** What a handler knows of the call besides its message. */
export interface CallContext {
  method: DescMethod;
  metadata: Metadata;
  /** Aborted when the caller goes away or the deadline passes. */
  signal: AbortSignal;
  /** Sent with the reply. */
  trailer: Metadata;
  /** Set by whoever finds out, for the log and the trace. */
  tenantId?: string;
}

type Handler<C, M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (context: C, request: MessageShape<I>) => Promise<MessageInitShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (context: C, request: MessageShape<I>) => AsyncIterable<MessageInitShape<O>>
      : never;

/** One handler per method; a missing or mistyped one does not compile. */
export type Handlers<S extends DescService, C> = { [K in keyof S['method']]: Handler<C, S['method'][K]> };

/** Makes the handler's context out of the call; an AppError thrown here refuses the call. */
export type ContextFor<C> = (call: CallContext) => Promise<C> | C;

type AnyCall = ServerUnaryCall<Buffer, Uint8Array> | ServerWritableStream<MessageShape<DescMessage>, MessageShape<DescMessage>>;

const onGoneOf =
  (call: AnyCall): Arrived['onGone'] =>
  (listener) =>
    call.cancelled ? listener() : call.on('cancelled', listener);

const callerGone = new AppError('DEPENDENCY_UNAVAILABLE', 'The caller has gone');

/** The signal is made for those who ask for it: most calls are over before anybody could go away. */
const callContext = (method: DescMethod, { metadata, onGone }: Omit<Arrived, 'request'>): CallContext => {
  let abort: AbortController | undefined;
  return {
    method,
    metadata,
    trailer: new Metadata(),
    get signal() {
      if (!abort) {
        const made = new AbortController();
        abort = made;
        onGone(() => made.abort(callerGone));
      }
      return abort.signal;
    },
  };
};

/** What the log says of a call that has failed. */
const aboutFailed = ({ method, metadata, tenantId }: CallContext, error: unknown) => ({
  err: error,
  rpc: method.name,
  request_id: metadata.get('x-request-id')[0],
  trace_id: parseTraceparent(traceparentIn(metadata))?.traceId,
  tenant: tenantId,
});

export interface ServeOptions {
  log: Logger;
  /** Recognizes errors of libraries, and names them as the cause: a database that is down is DEPENDENCY_UNAVAILABLE. */
  translate?: (error: unknown) => AppError | undefined;
  /** Without it nothing is measured. */
  watch?: WatchCall;
  /** Records unary calls that are part of a trace. */
  tracer?: Tracer;
}

const watched =
  (method: DescMethod, answer: Answer, watch: WatchCall): Answer =>
  async (arrived) => {
    const ended = watch(method, arrived.metadata);
    const answered = await answer(arrived);
    ended('response' in answered ? status.OK : answered.code);
    return answered;
  };

/**
 * Adds a service to a gRPC server. An AppError becomes a status with details; anything else is logged and answered
 * as INTERNAL_ERROR without its message.
 */
export const serve = <S extends DescService, C>(
  { grpc, exchange }: GrpcServer,
  service: S,
  contextFor: ContextFor<C>,
  handlers: Handlers<S, C>,
  { log, translate = () => undefined, watch, tracer }: ServeOptions,
): void => {
  const answerable = (context: CallContext, error: unknown): AppError => {
    const known = error instanceof AppError ? error : translate(error);
    if (known) {
      if (known.kind === 'internal' || known.kind === 'unavailable') log.error(aboutFailed(context, known), 'call failed');
      return known;
    }
    log.error(aboutFailed(context, error), 'call failed unexpectedly');
    return new AppError('INTERNAL_ERROR');
  };
  const untyped = handlers as unknown as Record<string, (context: C, request: MessageShape<DescMessage>) => unknown>;
  const implementations = Object.fromEntries(
    service.methods.map((method) => {
      const handler = untyped[method.localName];
      if (!handler) throw new Error(`${service.typeName}.${method.name} has no handler`);
      const unwatched: Answer = async (arrived) => {
        const span = tracer && traceArrived(tracer, method, arrived.metadata);
        const context = callContext(method, arrived);
        try {
          const reply = await handler(await contextFor(context), fromBinary(method.input, arrived.request));
          const response = toBinary(method.output, completeReply(method.output, reply as MessageInitShape<DescMessage>));
          span?.add({ 'accessops.tenant.id': context.tenantId ?? '' });
          span?.end();
          return { response, trailer: context.trailer };
        } catch (error) {
          const refusal = answerable(context, error);
          if (span) endRefused(span, refusal);
          return toStatus(refusal);
        }
      };
      const answer = watch ? watched(method, unwatched, watch) : unwatched;
      const unary: handleUnaryCall<Buffer, Uint8Array> = (call, callback) => {
        const reply = async () => {
          const answered = await answer({ request: call.request, metadata: call.metadata, onGone: onGoneOf(call) });
          if ('response' in answered) callback(null, answered.response, answered.trailer);
          else callback(answered);
        };
        void reply();
      };
      const streaming: handleServerStreamingCall<MessageShape<DescMessage>, MessageShape<DescMessage>> = (call) => {
        const context = callContext(method, { metadata: call.metadata, onGone: onGoneOf(call) });
        const run = async () => {
          for await (const reply of handler(await contextFor(context), call.request) as AsyncIterable<MessageInitShape<DescMessage>>) {
            if (context.signal.aborted) return;
            if (!call.write(completeReply(method.output, reply))) {
              await new Promise<void>((resolve) => {
                call.once('drain', resolve);
                context.signal.addEventListener('abort', () => resolve(), { once: true });
              });
            }
          }
          call.end(context.trailer);
        };
        run().catch((error: unknown) => call.emit('error', toStatus(answerable(context, error))));
      };
      if (method.methodKind === 'server_streaming') return [method.localName, streaming];
      exchange.add(methodPath(method), answer);
      return [method.localName, unary];
    }),
  );
  grpc.addService(serviceDefinition(service), implementations);
};

/** A gRPC server that listens, with the standard health service. */
export interface RunningServer {
  /** host:port, with the port that was really taken. */
  address: string;
  setServing(serving: boolean): void;
  /** Lets running calls end (at most `graceMs`), then closes. */
  close(graceMs?: number): Promise<void>;
}

/** A server for `serve`. Unary calls come one by one, from anybody, or over one stream, from our own clients. */
export interface GrpcServer {
  grpc: Server;
  exchange: ExchangeServer;
}

const usualAgeMs = 120_000;

/**
 * A server for `serve`; messages up to 4 MiB. Callers connect anew when a connection has lasted for `connectionAgeMs`, more or less: what is
 * between them and several servers decides where a connection goes, and not where its calls do, so that a new server would get none.
 */
export const createServer = ({ connectionAgeMs = usualAgeMs } = {}): GrpcServer => {
  const grpc = new Server({ 'grpc.max_receive_message_length': largest.request });
  return { grpc, exchange: addExchange(grpc, connectionAgeMs) };
};

/** Binds and starts listening at `listen` (host:port; port 0 takes a free one), by TLS where there is an entrance. */
export const listen = async ({ grpc, exchange }: GrpcServer, address: string, entrance?: Entrance): Promise<RunningServer> => {
  const health = new HealthImplementation({ '': 'SERVING' });
  health.addToServer(grpc);
  const port = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync(address, serverCredentials(entrance), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return {
    address: `${address.slice(0, address.lastIndexOf(':'))}:${port}`,
    setServing: (serving) => health.setStatus('', serving ? 'SERVING' : 'NOT_SERVING'),
    close: (graceMs = 5000) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(() => grpc.forceShutdown(), graceMs);
        const shutDown = () =>
          grpc.tryShutdown(() => {
            clearTimeout(timer);
            resolve();
          });
        // Connections end when nothing runs in their streams any more: grpc-js's clients send no ping over one that is about to end, take that for
        // a failure, and break off what runs there.
        void exchange.stop().then(shutDown);
      }),
  };
};
