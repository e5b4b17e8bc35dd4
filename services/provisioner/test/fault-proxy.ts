import { createServer, type Socket, connect as tcpConnect } from 'node:net';

/** What goes wrong between the provisioner and a target. */
export type Fault =
  | { kind: 'none' }
  /** Connections are refused, and those that exist are cut. */
  | { kind: 'down' }
  /** Connections are taken and nothing is ever said. */
  | { kind: 'deaf' }
  /** A connection is cut when something like this is about to be sent: it does not arrive. */
  | { kind: 'cut-before'; sent: RegExp }
  /** It arrives and is carried out, but the connection is cut instead of the answer. */
  | { kind: 'cut-answer'; sent: RegExp }
  /** It arrives and is carried out, and no answer ever comes. */
  | { kind: 'no-answer'; sent: RegExp }
  /** It does not arrive, and this is said instead of an answer. */
  | { kind: 'garbage'; sent: RegExp; says: string }
  /** It arrives and is carried out; this is said instead of the answer, and from then on to everything: nothing else arrives. */
  | { kind: 'garbage-since'; sent: RegExp; says: string }
  /** Something happens elsewhere when so much has been sent: before it arrives, or when it is answered. Neither goes on. */
  | { kind: 'strike'; nth: number; when: 'sent' | 'answered'; strike: () => void };

export interface FaultProxy {
  port: number;
  /** From now on, for connections that exist too. */
  fault: Fault;
  /** How often the fault has struck. */
  struck: number;
  /** How many pieces have been sent to the server since the fault was set. */
  sent: number;
  set(fault: Fault): void;
  close(): Promise<void>;
}

/** A TCP proxy in front of a real server, which can be told to misbehave. */
export const startFaultProxy = async (targetPort: number): Promise<FaultProxy> => {
  const sockets = new Set<Socket>();
  const proxy: FaultProxy = {
    port: 0,
    fault: { kind: 'none' },
    struck: 0,
    sent: 0,
    set: (fault) => {
      proxy.fault = fault;
      proxy.struck = 0;
      proxy.sent = 0;
      if (fault.kind === 'down') for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      // Nobody comes in any more before those who are in have to go.
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };

  const server = createServer((client) => {
    const { fault } = proxy;
    sockets.add(client);
    client.on('error', () => undefined).on('close', () => sockets.delete(client));
    if (fault.kind === 'down' || fault.kind === 'deaf') {
      proxy.struck += 1;
      if (fault.kind === 'down') client.destroy();
      return;
    }
    const upstream = tcpConnect(targetPort, '127.0.0.1');
    sockets.add(upstream);
    let onAnswer: 'pass' | 'cut' | 'drop' | 'strike' = 'pass';
    let instead: string | undefined;
    client.on('close', () => upstream.destroy());
    upstream
      .on('error', () => undefined)
      .on('close', () => {
        sockets.delete(upstream);
        // A server that ends a connection which is never answered is not heard either.
        if (onAnswer !== 'drop') client.destroy();
      });
    client.on('data', (data) => {
      const now = proxy.fault;
      if (now.kind === 'deaf') {
        proxy.struck += 1;
        onAnswer = 'drop';
      }
      if (onAnswer !== 'pass') return;
      proxy.sent += 1;
      if (now.kind === 'strike' && proxy.sent >= now.nth) {
        proxy.struck += 1;
        if (now.when === 'sent') return now.strike();
        onAnswer = 'strike';
      }
      const already = now.kind === 'garbage-since' && proxy.struck > 0;
      if ('sent' in now && (already || now.sent.test(data.toString('latin1')))) {
        proxy.struck += 1;
        if (now.kind === 'cut-before') return client.destroy();
        onAnswer = now.kind === 'cut-answer' ? 'cut' : 'drop';
        if (now.kind === 'garbage' || already) return client.end(now.says, 'latin1');
        if (now.kind === 'garbage-since') instead = now.says;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (onAnswer === 'pass') client.write(data);
      if (onAnswer === 'cut') client.destroy();
      if (instead !== undefined && client.writable) client.end(instead, 'latin1');
      if (onAnswer === 'strike' && proxy.fault.kind === 'strike') proxy.fault.strike();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  proxy.port = typeof address === 'object' && address ? address.port : 0;
  return proxy;
};
