import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What came back of a call. */
export interface Answer {
  status: number;
  body: Record<string, unknown> & { items?: Record<string, unknown>[] };
}

/** One connection that is kept for as long as the server keeps it. */
export interface Connection {
  /** Throws when no answer came. */
  call(method: string, path: string, token?: string, body?: unknown): Promise<Answer>;
  close(): void;
}

/** A connection to the API at `url`. Nothing is ever tried again: what breaks has failed. */
export const openConnection = (url: string): Connection => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    call: (method, path, token, body) =>
      new Promise((resolve, reject) => {
        const content = body === undefined ? undefined : JSON.stringify(body);
        const headers = {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(content === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
        };
        const sent = request(`${url}/api/v1${path}`, { method, agent, headers, timeout: 30_000 }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            resolve({ status: response.statusCode ?? 0, body: text ? JSON.parse(text) : {} });
          });
        });
        sent.on('timeout', () => sent.destroy(new Error('no answer within 30 s')));
        sent.on('error', reject);
        sent.end(content);
      }),
    close: () => agent.destroy(),
  };
};

/** What load has met. */
export interface Figures {
  calls: number;
  /** What failed, and when. */
  failed: string[];
  p50: number;
  p95: number;
  p99: number;
  longest: number;
}

/** Work of one connection: calls again and again; it names the status that each has to have. */
export type Script = (
  must: (status: number, method: string, path: string, token?: string, body?: unknown) => Promise<Answer['body']>,
) => Promise<void>;

/** Repeats scripts, each over a connection of its own. */
export interface Load {
  /** What a call of each kind has met so far. */
  stop(): Promise<Figures>;
}

// People think, and processes that are just starting need processors, too.
const thinkMs = 600;

/** Puts load on the API at `url` until it is stopped; a script whose call has failed begins anew. */
export const startLoad = (url: string, scripts: Script[]): Load => {
  const times: number[] = [];
  const failed: string[] = [];
  let stopping = false;
  const run = async (script: Script) => {
    const connection = openConnection(url);
    while (!stopping) {
      await script(async (status, method, path, token, body) => {
        await delay(Math.random() * thinkMs);
        const startedAt = performance.now();
        const outcome = await connection.call(method, path, token, body).catch((error: Error) => error);
        times.push(performance.now() - startedAt);
        if (!(outcome instanceof Error) && outcome.status === status) return outcome.body;
        const what = outcome instanceof Error ? outcome.message : `${outcome.status} ${JSON.stringify(outcome.body)}`;
        failed.push(`${new Date().toISOString()} ${method} ${path}: ${what}`);
        throw new Error('a call has failed');
      }).catch(() => delay(100));
    }
    connection.close();
  };
  const running = scripts.map(run);
  return {
    stop: async () => {
      stopping = true;
      await Promise.all(running);
      times.sort((a, b) => a - b);
      const at = (share: number) => Math.round(times[Math.floor(share * (times.length - 1))] ?? 0);
      return { calls: times.length, failed, p50: at(0.5), p95: at(0.95), p99: at(0.99), longest: at(1) };
    },
  };
};
