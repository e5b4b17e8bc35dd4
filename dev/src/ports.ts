import { createServer, type Server } from 'node:net';
import { threadId } from 'node:worker_threads';
import { StartError } from './start-error.ts';

/** A port of the loopback interface, kept busy until `release` so that nobody else picks it meanwhile. */
export interface ReservedPort {
  port: number;
  release(): Promise<void>;
}

// Below the ranges that systems hand out to outgoing connections: a part that restarts must get its port again.
const first = 20_000;
const last = 32_000;

// Platforms that start side by side begin their search in different places.
let next = first + (((process.pid + threadId) * 20) % (last - first));

const listen = (port: number) =>
  new Promise<Server>((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).unref();
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });

/** Reserves a given port; throws the system's error when it is taken. */
export const reserve = async (port: number): Promise<ReservedPort> => {
  const server = await listen(port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
};

/** Reserves a free port. */
export const reserveFreePort = async (): Promise<ReservedPort> => {
  for (let tries = 0; tries < last - first; tries++) {
    const port = next;
    next = next + 1 < last ? next + 1 : first;
    try {
      return await reserve(port);
    } catch {}
  }
  throw new StartError(`No free port was found between ${first} and ${last}.`);
};
