import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';

export interface UnaryOptions {
  metadata: Metadata;
  deadlineMs: number;
  signal?: AbortSignal;
}

/** What a server answered to a unary call. */
export interface UnaryReply {
  message: Buffer;
  trailer(): Metadata;
}

/**
 * Unary calls to one server: gRPC over HTTP/2 (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md) on node:http2 alone. grpc-js spends
 * three times as much on a call, for balancing, retries, filters and compression that nothing here uses.
 */
export interface UnaryChannel {
  /** Rejects with a ServiceError. `path` is `/<service>/<method>`. */
  call(path: string, message: Uint8Array, options: UnaryOptions): Promise<UnaryReply>;
  /** Lets running calls end, then closes the connection. */
  close(): void;
}

const connectWithinMs = 1000;
const keepAliveMs = 10_000;
const keepAliveWithinMs = 3000;
const maxReplyBytes = 16 * 1024 * 1024;
// A connection has 2^30 stream ids; a new one takes its place long before they are used up.
const callsPerConnection = 500_000_000;

const failure = (code: status, details: string, metadata = new Metadata(), cause?: unknown): ServiceError =>
  Object.assign(new Error(`${code} ${status[code]}: ${details}`, { cause }), { code, details, metadata });

/** A connection that is given up when it does not come about, or no longer answers pings. */
const openSession = (address: string): ClientHttp2Session => {
  const session = connect(`http://${address}`, { settings: { enablePush: false } });
  const giveUp = setTimeout(() => session.destroy(failure(status.UNAVAILABLE, 'no connection in time')), connectWithinMs);
  let pings: NodeJS.Timeout | undefined;
  session.once('connect', () => {
    clearTimeout(giveUp);
    // An idle connection keeps no process from ending.
    session.unref();
    pings = setInterval(() => {
      const overdue = setTimeout(() => session.destroy(failure(status.UNAVAILABLE, 'no answer to a ping')), keepAliveWithinMs).unref();
      session.ping(() => clearTimeout(overdue));
    }, keepAliveMs).unref();
  });
  session.once('close', () => {
    clearTimeout(giveUp);
    clearInterval(pings);
  });
  // Calls are told by their own streams.
  session.on('error', () => undefined);
  return session;
};

const frame = (message: Uint8Array): Buffer => {
  const bytes = Buffer.allocUnsafe(5 + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
};

/** The one message of a reply, out of its frame; undefined for anything else. */
const messageOf = (bytes: Buffer): Buffer | undefined =>
  bytes.length >= 5 && bytes[0] === 0 && bytes.readUInt32BE(1) === bytes.length - 5 ? bytes.subarray(5) : undefined;

const refused = (rstCode: number | undefined): boolean => rstCode === constants.NGHTTP2_REFUSED_STREAM;

/** A channel to `address` (host:port); the connection is made by the first call, and again by the first after it was lost. */
export const createUnaryChannel = (address: string): UnaryChannel => {
  let current: ClientHttp2Session | undefined;
  let calls = 0;
  let closed = false;

  const session = (): ClientHttp2Session => {
    if (++calls > callsPerConnection) current?.close();
    if (!current || current.closed || current.destroyed) {
      calls = 1;
      const opened = openSession(address);
      // A server that says good-bye still answers what it has; new calls go to the next one.
      opened.once('goaway', () => {
        if (current === opened) current = undefined;
      });
      current = opened;
    }
    return current;
  };

  const attempt = (
    path: string,
    message: Uint8Array,
    { metadata, deadlineMs, signal }: UnaryOptions,
    again: boolean,
  ): Promise<UnaryReply> =>
    new Promise((resolve, reject: (error: ServiceError) => void) => {
      if (closed) return reject(failure(status.UNAVAILABLE, 'the client is closed'));
      if (signal?.aborted) return reject(failure(status.CANCELLED, 'the caller has gone'));
      const startedAt = performance.now();
      const stream = session().request({
        ...metadata.toHttp2Headers(),
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: path,
        [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto',
        [constants.HTTP2_HEADER_TE]: 'trailers',
        'grpc-timeout': `${Math.max(1, Math.ceil(deadlineMs))}m`,
      });
      let chunks: Buffer | Buffer[] | undefined;
      let length = 0;
      let end: IncomingHttpHeaders | undefined;
      let given: ServiceError | undefined;

      const giveUp = (error: ServiceError) => {
        given ??= error;
        stream.close(constants.NGHTTP2_CANCEL);
      };
      const cancel = () => giveUp(failure(status.CANCELLED, 'the caller has gone'));
      const timer = setTimeout(() => giveUp(failure(status.DEADLINE_EXCEEDED, `no answer within ${deadlineMs} ms`)), deadlineMs);
      signal?.addEventListener('abort', cancel, { once: true });

      let settled = false;
      const settle = (cause?: unknown) => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        if (given) return reject(given);
        if (!end) {
          if (again && refused(stream.rstCode)) {
            const leftMs = deadlineMs - (performance.now() - startedAt);
            return resolve(attempt(path, message, { metadata, deadlineMs: leftMs, signal }, false));
          }
          return reject(failure(status.UNAVAILABLE, 'the connection was lost', undefined, cause));
        }
        const trailers = end;
        const code = Number(trailers['grpc-status'] ?? status.UNKNOWN);
        if (code !== status.OK) return reject(failure(code, String(trailers['grpc-message'] ?? ''), Metadata.fromHttp2Headers(trailers)));
        const reply = messageOf(Array.isArray(chunks) ? Buffer.concat(chunks) : (chunks ?? Buffer.alloc(0)));
        if (!reply) return reject(failure(status.INTERNAL, 'the reply is not one message'));
        return resolve({ message: reply, trailer: () => Metadata.fromHttp2Headers(trailers) });
      };
      stream.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maxReplyBytes) return giveUp(failure(status.RESOURCE_EXHAUSTED, 'the reply is too large'));
        if (!chunks) chunks = chunk;
        else if (Array.isArray(chunks)) chunks.push(chunk);
        else chunks = [chunks, chunk];
        return undefined;
      });
      // A failure can be all in one: headers that are trailers too.
      stream.on('response', (headers) => {
        if (headers['grpc-status'] !== undefined) end = headers;
        else if (headers[':status'] !== 200) giveUp(failure(status.UNAVAILABLE, `HTTP status ${headers[':status']}`));
      });
      stream.on('trailers', (trailers) => {
        end = trailers;
      });
      stream.on('end', () => end && settle());
      stream.on('error', settle);
      stream.on('close', () => settle());
      stream.end(frame(message));
      return undefined;
    });

  return {
    call: async (path, message, options) => attempt(path, message, options, true),
    close: () => {
      closed = true;
      current?.close();
    },
  };
};
