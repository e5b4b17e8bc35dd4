import { AppError } from '@accessops/errors';
import type { Logger } from '@accessops/telemetry';
import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { completeReply, serviceDefinition } from './service-definition.ts';
import { toStatus } from './status-details.ts';

/** What a handler knows of the call besides its message. */
export interface CallContext {
  method: DescMethod;
  metadata: Metadata;
  /** Aborted when the caller goes away or the deadline passes. */
  signal: AbortSignal;
  /** Sent with the reply. */
  trailer: Metadata;
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

type AnyCall =
  | ServerUnaryCall<MessageShape<DescMessage>, MessageShape<DescMessage>>
  | ServerWritableStream<MessageShape<DescMessage>, MessageShape<DescMessage>>;

const callerGone = new AppError('DEPENDENCY_UNAVAILABLE', 'The caller has gone');

/** The signal is made for those who ask for it: most calls are over before anybody could go away. */
const callContext = (method: DescMethod, call: AnyCall): CallContext => {
  let abort: AbortController | undefined;
  return {
    method,
    metadata: call.metadata,
    trailer: new Metadata(),
    get signal() {
      if (!abort) {
        const made = new AbortController();
        abort = made;
        if (call.cancelled) made.abort(callerGone);
        else call.on('cancelled', () => made.abort(callerGone));
      }
      return abort.signal;
    },
  };
};

export interface ServeOptions {
  log: Logger;
  /** Recognizes errors of libraries: a database that is down is DEPENDENCY_UNAVAILABLE. */
  translate?: (error: unknown) => AppError | undefined;
}

/**
 * Adds a service to a gRPC server. An AppError becomes a status with details; anything else is logged and answered
 * as INTERNAL_ERROR without its message.
 */
export const serve = <S extends DescService, C>(
  server: Server,
  service: S,
  contextFor: ContextFor<C>,
  handlers: Handlers<S, C>,
  { log, translate = () => undefined }: ServeOptions,
): void => {
  const answerable = (method: DescMethod, error: unknown): AppError => {
    const known = error instanceof AppError ? error : translate(error);
    if (known) {
      if (known.kind === 'internal' || known.kind === 'unavailable') log.error({ err: error, rpc: method.name }, 'call failed');
      return known;
    }
    log.error({ err: error, rpc: method.name }, 'call failed unexpectedly');
    return new AppError('INTERNAL_ERROR');
  };
  const untyped = handlers as unknown as Record<string, (context: C, request: MessageShape<DescMessage>) => unknown>;
  const implementations = Object.fromEntries(
    service.methods.map((method) => {
      const handler = untyped[method.localName];
      if (!handler) throw new Error(`${service.typeName}.${method.name} has no handler`);
      const unary: handleUnaryCall<MessageShape<DescMessage>, MessageShape<DescMessage>> = (call, callback) => {
        const context = callContext(method, call);
        const outcome = async (): Promise<Parameters<typeof callback>> => {
          try {
            const reply = (await handler(await contextFor(context), call.request)) as MessageInitShape<DescMessage>;
            return [null, completeReply(method.output, reply), context.trailer];
          } catch (error) {
            return [toStatus(answerable(method, error))];
          }
        };
        const answer = async () => callback(...(await outcome()));
        void answer();
      };
      const streaming: handleServerStreamingCall<MessageShape<DescMessage>, MessageShape<DescMessage>> = (call) => {
        const context = callContext(method, call);
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
        run().catch((error: unknown) => call.emit('error', toStatus(answerable(method, error))));
      };
      return [method.localName, method.methodKind === 'server_streaming' ? streaming : unary];
    }),
  );
  server.addService(serviceDefinition(service), implementations);
};

/** A gRPC server that listens, with the standard health service. */
export interface RunningServer {
  /** host:port, with the port that was really taken. */
  address: string;
  setServing(serving: boolean): void;
  /** Lets running calls end (at most `graceMs`), then closes. */
  close(graceMs?: number): Promise<void>;
}

/** A server for `serve`; messages up to 4 MiB. */
export const createServer = (): Server => new Server({ 'grpc.max_receive_message_length': 4 * 1024 * 1024 });

/** Binds and starts listening at `listen` (host:port; port 0 takes a free one). */
export const listen = async (server: Server, address: string): Promise<RunningServer> => {
  const health = new HealthImplementation({ '': 'SERVING' });
  health.addToServer(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return {
    address: `${address.slice(0, address.lastIndexOf(':'))}:${port}`,
    setServing: (serving) => health.setStatus('', serving ? 'SERVING' : 'NOT_SERVING'),
    close: (graceMs = 5000) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(() => server.forceShutdown(), graceMs);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
};
