import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What Sentry takes: an envelope, a line of JSON for each part of it. */
export interface Sentry {
  dsn: string;
  /** The events that have come. */
  events: Record<string, unknown>[];
  /** Everything that has come, as it came. */
  raw(): string;
  close(): Promise<void>;
}

/** A server that takes envelopes as Sentry does; `deaf`: and never answers. */
export const startSentry = async ({ deaf = false } = {}): Promise<Sentry> => {
  const events: Record<string, unknown>[] = [];
  let all = '';
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      all += `${JSON.stringify(request.headers)}${request.url}\n${text}\n`;
      const [, header = '{}', body = '{}'] = text.split('\n');
      if ((JSON.parse(header) as { type?: string }).type === 'event') events.push(JSON.parse(body) as Record<string, unknown>);
      if (!deaf) response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    dsn: `http://publickey@127.0.0.1:${(server.address() as AddressInfo).port}/42`,
    events,
    raw: () => all,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
