import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What a Service of Kubernetes does: a connection to its address goes to one of the instances that are ready, and stays there for as long as it
 * lives, even when that instance is not to get any more.
 */
export interface Balancer {
  port: number;
  /** The instance behind a port takes connections from now on. */
  add(port: number): void;
  /** It gets no more; those it has stay. */
  remove(port: number): void;
  close(): Promise<void>;
}

/** A balancer that listens at `port` of the loopback interface; 0 takes a free one. */
export const startBalancer = async (port: number): Promise<Balancer> => {
  const ready: number[] = [];
  const sockets = new Set<Socket>();
  let next = 0;
  const tie = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroySoon();
    });
    from.pipe(to);
  };
  const server = createServer((client) => {
    const instance = ready[next++ % ready.length];
    if (instance === undefined) return client.destroy();
    const upstream = connect({ port: instance, host: '127.0.0.1' });
    tie(client, upstream);
    tie(upstream, client);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    add: (instance) => {
      ready.push(instance);
    },
    remove: (instance) => {
      ready.splice(ready.indexOf(instance), 1);
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
};
