import { AppError } from '@accessops/errors';
import type { Tracer } from '@accessops/telemetry';
import type { TlsIdentity } from '@accessops/tls';
import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type ClientReadableStream, Client as GrpcClient, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { largest } from './batch.ts';
import type { WatchCall } from './call-metrics.ts';
import { clientCredentials } from './credentials.ts';
import { createExchange } from './exchange-client.ts';
import { waitBefore, wasRefused } from './refused.ts';
import { methodDefinition, methodPath } from './service-definition.ts';
import { fromServiceError } from './status-details.ts';
import { endFailed, traceSent } from './trace-calls.ts';

// Longer than a busy machine stands still: who waits is answered late then, and not refused.
const usualDeadlineMs = 15_000;

export interface CallOptions {
  metadata?: Metadata;
  /** By default `usualDeadlineMs`. */
  deadlineMs?: number;
  signal?: AbortSignal;
  /** Receives the trailing metadata of a unary reply. */
  onTrailer?: (trailer: Metadata) => void;
  /** Records a unary call, when its metadata is that of a trace. */
  tracer?: Tracer;
}

type Call<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : never;

/** A typed client: one function per method, AppErrors instead of gRPC errors. */
export type ServiceClient<S extends DescService> = { [K in keyof S['method']]: Call<S['method'][K]> } & { close(): void };

// A peer that comes back is tried again at once instead of after grpc-js's growing back-off of up to two minutes.
const channelOptions = {
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.keepalive_time_ms': 10_000,
  // As long as a call usually has: one that a busy peer may yet answer in time is not broken off with the connection.
  'grpc.keepalive_timeout_ms': usualDeadlineMs,
  'grpc.max_receive_message_length': largest.response,
};

// Not that of other clients with the same address, as usual.
const ownConnection = { 'grpc.use_local_subchannel_pool': 1 };

const healthPath = '/grpc.health.v1.Health/Check';

/** Asks one server for its health, again and again over one connection. */
export interface HealthProbe {
  /** Whether it answers SERVING within the deadline. */
  isServing(deadlineMs?: number): Promise<boolean>;
  close(): void;
}

/** A probe of the server at `address` (host:port), by the standard health service. */
export const createHealthProbe = (address: string, tls?: TlsIdentity): HealthProbe => {
  const client = new GrpcClient(address, clientCredentials(tls), channelOptions);
  return {
    isServing: (deadlineMs = 500) =>
      new Promise<boolean>((resolve) => {
        client.makeUnaryRequest(
          healthPath,
          () => Buffer.alloc(0),
          // HealthCheckResponse{status: SERVING} is field 1, varint 1.
          (bytes: Buffer) => bytes.equals(Buffer.from([0x08, 0x01])),
          {},
          new Metadata(),
          { deadline: Date.now() + deadlineMs },
          (error, serving) => resolve(!error && serving === true),
        );
      }),
    close: () => client.close(),
  };
};

/** Whether the server at `address` says that it serves. */
export const isServing = async (address: string, deadlineMs = 500): Promise<boolean> => {
  const probe = createHealthProbe(address);
  try {
    return await probe.isServing(deadlineMs);
  } finally {
    probe.close();
  }
};

/** Cancels a call when its caller goes away, or has gone; a signal that outlives the call keeps nothing of it. */
const cancelWith = (signal: AbortSignal, call: ClientReadableStream<unknown>) => {
  const cancel = () => call.cancel();
  if (signal.aborted) return cancel();
  signal.addEventListener('abort', cancel, { once: true });
  call.once('status', () => signal.removeEventListener('abort', cancel));
};

type Unary = (request: MessageInitShape<DescMessage>, options: CallOptions) => Promise<MessageShape<DescMessage>>;

const watched =
  (method: DescMethod, call: Unary, watch: WatchCall): Unary =>
  async (request, options) => {
    const ended = watch(method, options.metadata ?? new Metadata());
    try {
      const reply = await call(request, options);
      ended(status.OK);
      return reply;
    } catch (error) {
      ended(error instanceof AppError ? error.grpcStatus : status.UNKNOWN);
      throw error;
    }
  };

const traced = async (tracer: Tracer, method: DescMethod, options: CallOptions, send: (options: CallOptions) => ReturnType<Unary>) => {
  const { span, metadata } = traceSent(tracer, method, options.metadata ?? new Metadata());
  if (!span) return send(options);
  try {
    const reply = await send({ ...options, metadata });
    span.end();
    return reply;
  } catch (error) {
    endFailed(span, error);
    throw error;
  }
};

export interface ConnectOptions {
  /** Without it nothing is measured. */
  watch?: WatchCall;
  /** Whom to connect as, by TLS; without it, without TLS. */
  tls?: TlsIdentity;
}

/** Connects to a service at `address` (host:port). Lazily: the first call opens the connection. Calls throw AppError. */
export const connect = <S extends DescService>(service: S, address: string, { watch, tls }: ConnectOptions = {}): ServiceClient<S> => {
  const channelCredentials = clientCredentials(tls);
  const exchange = createExchange(() => new GrpcClient(address, channelCredentials, { ...channelOptions, ...ownConnection }));
  let client: GrpcClient | undefined;
  const unary = (method: DescMethod) => {
    const path = methodPath(method);
    const sent: Unary = async (request, { metadata = new Metadata(), deadlineMs = usualDeadlineMs, signal, onTrailer }) => {
      const bytes = toBinary(method.input, create(method.input, request));
      return fromBinary(method.output, await exchange.call(path, bytes, { metadata, deadlineMs, signal, onTrailer }));
    };
    const call = watch ? watched(method, sent, watch) : sent;
    return (request: MessageInitShape<DescMessage>, options: CallOptions = {}): ReturnType<Unary> =>
      options.tracer ? traced(options.tracer, method, options, (own) => call(request, own)) : call(request, options);
  };
  const streaming = (method: DescMethod) => {
    const definition = methodDefinition(method);
    return async function* (
      request: MessageInitShape<DescMessage>,
      { metadata = new Metadata(), deadlineMs = 60_000, signal }: CallOptions = {},
    ) {
      const deadline = Date.now() + deadlineMs;
      client ??= new GrpcClient(address, channelCredentials, channelOptions);
      for (let attempt = 1; ; attempt++) {
        const call = client.makeServerStreamRequest(
          definition.path,
          definition.requestSerialize,
          definition.responseDeserialize,
          create(method.input, request),
          metadata,
          { deadline },
        );
        if (signal) cancelWith(signal, call);
        try {
          for await (const reply of call) yield reply as MessageShape<DescMessage>;
          return;
        } catch (error) {
          const failed = fromServiceError(error as ServiceError);
          if (!wasRefused(failed) || !(await waitBefore(attempt, signal))) throw failed;
        } finally {
          call.cancel();
        }
      }
    };
  };
  const calls = service.methods.map((method) => [
    method.localName,
    method.methodKind === 'server_streaming' ? streaming(method) : unary(method),
  ]);
  const close = () => {
    exchange.close();
    client?.close();
  };
  return { ...Object.fromEntries(calls), close } as ServiceClient<S>;
};
