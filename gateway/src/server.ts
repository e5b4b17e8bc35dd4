import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '@accessops/errors';
import { getRequestListener } from '@hono/node-server';
import type { AccessLog } from './access-log.ts';
import type { Timeouts } from './config.ts';
import type { BeginExchange } from './exchange.ts';
import { problemResponse, rawProblem } from './problem.ts';
import type { Env } from './serve-route.ts';

const nothing = { headers: {} } as IncomingMessage;

const codeOf = (error: NodeJS.ErrnoException): AppError => {
  if (error.code === 'HPE_HEADER_OVERFLOW') return new AppError('HEADERS_TOO_LARGE');
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return new AppError('REQUEST_TIMEOUT');
  return new AppError('MALFORMED_REQUEST');
};

/** Answers what never became a request: garbage, too large headers, a request that does not end. */
const answerClientError =
  (begin: BeginExchange) =>
  (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(rawProblem(codeOf(error), begin(nothing)));
  };

export interface HttpServerOptions {
  fetch(request: Request, env: Env['Bindings']): Response | Promise<Response>;
  begin: BeginExchange;
  accessLog: AccessLog;
  timeouts: Timeouts;
  isStopping(): boolean;
}

/** The HTTP server of an app; headers may have 16 KiB. */
export const createHttpServer = ({ fetch, begin, accessLog, timeouts, isStopping }: HttpServerOptions): Server => {
  const record = accessLog.of('unmatched');
  // The only errors that come here are of requests that cannot be understood: a host or a path that is none.
  const refuse = (): Response => {
    const error = new AppError('MALFORMED_REQUEST');
    const exchange = { ...begin(nothing), outcome: error.code };
    record(exchange, error.httpStatus);
    return problemResponse(error, exchange);
  };
  const listener = getRequestListener(fetch as Parameters<typeof getRequestListener>[0], { hostname: 'localhost', errorHandler: refuse });
  class Answer extends ServerResponse {
    override writeHead(status: number, ...rest: unknown[]): this {
      // The next request of this connection would meet a closed door: the client is told to take another one.
      if (isStopping()) this.shouldKeepAlive = false;
      return super.writeHead(status, ...(rest as [OutgoingHttpHeaders?]));
    }
  }
  const server = createServer(
    {
      ServerResponse: Answer,
      requireHostHeader: false,
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      keepAliveTimeout: timeouts.idleMs,
      connectionsCheckingInterval: Math.min(timeouts.headersMs / 4, 1000),
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  // Who does not take an answer either is idle, too.
  server.timeout = 2 * timeouts.idleMs;
  server.on('clientError', answerClientError(begin));
  // An expectation we do not know is ignored (RFC 9110 section 10.1.1).
  server.on('checkExpectation', (incoming, outgoing) => server.emit('request', incoming, outgoing));
  return server;
};
