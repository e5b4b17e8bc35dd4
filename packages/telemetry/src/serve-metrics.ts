import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { Health } from './health.ts';
import { metricsPage } from './metrics-page.ts';

/** A server of metrics that runs. */
export interface MetricsServer {
  /** host:port. */
  address: string;
  close(): Promise<void>;
}

/** What a process says of itself. */
export interface Condition {
  isReady(): boolean;
  health(): Promise<Health>;
}

/**
 * Serves `GET /metrics` at host:port, for Prometheus and nobody else: metrics tell of all tenants. What cannot be measured is 503. A process
 * that tells its condition answers `/health`, `/livez` and `/readyz` as well, for whoever cannot ask by gRPC.
 */
export const serveMetrics = async (registry: Registry, listen: string, condition?: Condition): Promise<MetricsServer> => {
  const server = createServer((request, response) => {
    if (request.method === 'GET' && condition && (request.url === '/livez' || request.url === '/readyz')) {
      const isGood = request.url === '/livez' || condition.isReady();
      response.writeHead(isGood ? 200 : 503, { 'content-type': 'text/plain' }).end(isGood ? 'ok' : 'not ready');
      return;
    }
    if (request.method === 'GET' && condition && request.url === '/health') {
      condition.health().then(
        (health) =>
          response.writeHead(health.status === 'down' ? 503 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(health)),
        () => response.writeHead(503).end(),
      );
      return;
    }
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    metricsPage(registry, request.headers.accept).then(
      ({ type, body }) => response.writeHead(200, { 'content-type': type }).end(body),
      () => response.writeHead(503).end(),
    );
  });
  const colon = listen.lastIndexOf(':');
  server.listen(Number(listen.slice(colon + 1)), listen.slice(0, colon));
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    address: `${address}:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
