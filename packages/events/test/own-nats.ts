import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// By path: what starts the servers is built on the package under test.
import {
  findNatsServer,
  type NatsUser,
  type ProcessSpec,
  prepareNats,
  type ReservedPort,
  reserve,
  reserveFreePort,
  supervise,
} from '../../../dev/src/index.ts';

/** A NATS server of a test's own, which it may stop, start again and wipe. */
export interface OwnNats {
  url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** It keeps its connections, and answers no more. */
  freeze(): void;
  thaw(): void;
  /** Forgets all streams; only while it is stopped. */
  wipe(): void;
  close(): Promise<void>;
}

const everything: NatsUser = { user: 'test', password: 'test' };

export const createOwnNats = async (users: NatsUser[] = []): Promise<OwnNats> => {
  const directory = mkdtempSync(join(tmpdir(), 'nats-'));
  const store = join(directory, 'store');
  const program = await findNatsServer(() => undefined);
  const free = await reserveFreePort();
  const { port } = free;
  await free.release();
  let running: ReturnType<typeof supervise> | undefined;
  const prepare = async (): Promise<ProcessSpec> => {
    const reserved: ReservedPort = await reserve(port);
    return prepareNats({
      program,
      directory: store,
      configFile: join(directory, 'nats.conf'),
      port: reserved,
      users: [everything, ...users],
    });
  };
  const stop = async () => {
    await running?.stop();
    running = undefined;
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    start: async () => {
      running = supervise(await prepare(), { logFile: join(directory, 'nats.log') });
      await running.ready;
    },
    stop,
    freeze: () => running?.kill('SIGSTOP'),
    thaw: () => running?.kill('SIGCONT'),
    wipe: () => rmSync(store, { recursive: true, force: true }),
    close: async () => {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
