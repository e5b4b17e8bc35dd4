import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '@accessops/errors';
import { getRequestListener } from '@hono/node-server';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { v7 } from 'uuid';
import type { AccessLog } from './access-log.ts';
import { beginExchange } from './exchange.ts';
import { problemResponse, rawProblem } from './problem.ts';
import type { Env } from './serve-route.ts';

const codeOf = (error: NodeJS.ErrnoException): AppError => {
  if (error.code === 'HPE_HEADER_OVERFLOW') return new AppError('HEADERS_TOO_LARGE');
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return new AppError('REQUEST_TIMEOUT');
  return new AppError('MALFORMED_REQUEST');
};

/** Answers what never became a request: garbage, too large headers, a request that does not end. */
const answerClientError = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(rawProblem(codeOf(error), { path: '/', requestId: v7() }));
};

/** The HTTP server of an app. Requests must begin within 10 s and be whole within 30 s; headers may have 16 KiB. */
export const createHttpServer = (app: OpenAPIHono<Env>, accessLog: AccessLog, isStopping: () => boolean): Server => {
  const record = accessLog.of('unmatched');
  // The only errors that come here are of requests that cannot be understood: a host or a path that is none.
  const refuse = (): Response => {
    const error = new AppError('MALFORMED_REQUEST');
    const exchange = { ...beginExchange({ headers: {} } as IncomingMessage), outcome: error.code };
    record(exchange, error.httpStatus);
    return problemResponse(error, exchange);
  };
  const listener = getRequestListener(app.fetch, { hostname: 'localhost', errorHandler: refuse });
  const server = createServer(
    { requireHostHeader: false, headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 },
    (incoming, outgoing) => {
      // Its next request would meet a closed door: the client is told to take another connection.
      if (isStopping()) outgoing.shouldKeepAlive = false;
      void listener(incoming, outgoing);
    },
  );
  server.on('clientError', answerClientError);
  // An expectation we do not know is ignored (RFC 9110 section 10.1.1).
  server.on('checkExpectation', (incoming, outgoing) => server.emit('request', incoming, outgoing));
  return server;
};
