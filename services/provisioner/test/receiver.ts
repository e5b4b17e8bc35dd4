import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** How a receiver answers: at once, later, never with anything sensible, or not at all. */
export type Manner = 'at-once' | 'later' | 'refuses' | 'garbage' | 'busy' | 'breaks' | 'redirects';

interface Held {
  present: boolean;
  timesGiven: number;
  fence: number;
  password: string;
  endsAt: Date;
}

interface Promised {
  type: string;
  attempt: number;
  durationSeconds: number;
}

export interface Receiver {
  port: number;
  url(port?: number): string;
  manner: Manner;
  /** What it has given, by key. */
  held: Map<string, Held>;
  /** Names of people whom others have given the same. */
  others: string[];
  /** Types and ids of the requests that came, in order; none with a wrong signature. */
  heard: { type: string; id: string; data: Record<string, unknown> }[];
  /** Carries out what it had promised for a key; answers what it would tell then. */
  carryOut(key: string): { key: string; attempt: number; outcome: string; credential?: object };
  close(): Promise<void>;
}

const answers: Record<Exclude<Manner, 'at-once' | 'later'>, [status: number, body: string]> = {
  refuses: [422, '{"message": "no such cost centre"}'],
  garbage: [200, '<html>'],
  busy: [503, ''],
  breaks: [500, 'password=hunter2'],
  redirects: [302, ''],
};

/** An endpoint that keeps the contract of docs/connectors.md. */
export const startReceiver = async (secret: string): Promise<Receiver> => {
  const promised = new Map<string, Promised>();

  const carryOut = (key: string, { type, attempt: fence, durationSeconds }: Promised): Held => {
    const held = receiver.held.get(key) ?? { present: false, timesGiven: 0, fence: 0, password: '', endsAt: new Date(0) };
    const endsAt = new Date(Date.now() + durationSeconds * 1000);
    receiver.held.set(key, held);
    if (type === 'access.apply' && fence >= held.fence) {
      held.timesGiven += held.present ? 0 : 1;
      Object.assign(held, { present: true, password: `secret-${key}-${fence}`, fence, endsAt });
    }
    if (type === 'access.extend' && held.present && fence >= held.fence) Object.assign(held, { fence, endsAt });
    if (type === 'access.revoke') Object.assign(held, { present: false, fence });
    return held;
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { type, data } = new Webhook(secret).verify(body, request.headers as Record<string, string>) as {
        type: string;
        data: { key: string; attempt: number; durationSeconds: number };
      };
      receiver.heard.push({ type, id: String(request.headers['webhook-id']), data });
      const { manner } = receiver;
      if (manner !== 'at-once' && manner !== 'later') {
        const [status, text] = answers[manner];
        return response.writeHead(status, { location: 'http://169.254.169.254/' }).end(text);
      }
      const held = receiver.held.get(data.key);
      if (type === 'access.check') return response.end('{}');
      if (type === 'access.list') {
        const given = [...receiver.held].flatMap(([key, { present }]) => (present ? [{ key, name: `account of ${key}` }] : []));
        return response.end(JSON.stringify({ items: [...given, ...receiver.others.map((name) => ({ key: null, name }))] }));
      }
      if (type === 'access.verify') return response.end(JSON.stringify({ present: held?.present === true }));
      if (type === 'access.extend' && !held?.present) return response.writeHead(404).end();
      const isDone = { 'access.apply': held?.present, 'access.revoke': held?.present === false }[type] ?? false;
      if (manner === 'later' && !isDone) {
        promised.set(data.key, { ...data, type });
        return response.writeHead(202).end();
      }
      const { password } = carryOut(data.key, { ...data, type });
      response.end(JSON.stringify(type === 'access.apply' ? { credential: { password } } : {}));
    });
  });
  const receiver: Receiver = {
    port: 0,
    url: (port = receiver.port) => `http://127.0.0.1:${port}/access?team=hr`,
    manner: 'at-once',
    held: new Map(),
    others: [],
    heard: [],
    carryOut: (key) => {
      const asked = promised.get(key) ?? { type: '', attempt: 0, durationSeconds: 0 };
      const { type, attempt } = asked;
      const { password } = carryOut(key, asked);
      return { key, attempt, outcome: 'done', ...(type === 'access.apply' && { credential: { password } }) };
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  receiver.port = (server.address() as AddressInfo).port;
  return receiver;
};
