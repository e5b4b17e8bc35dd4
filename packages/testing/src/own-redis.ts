import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { findRedisServer, reserveFreePort } from '@accessops/dev';
import { until } from './until.ts';

/** A Redis or Valkey server of a test's own. */
export interface OwnRedis {
  url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** It keeps its connections, and answers no more. */
  freeze(): void;
  thaw(): void;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(500, () => socket.destroy());
    socket.on('data', (data) => {
      resolve(data.toString().startsWith('+PONG'));
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });

/** A server that runs; undefined when there is no program for it on this machine. */
export const startOwnRedis = async (): Promise<OwnRedis | undefined> => {
  const program = await findRedisServer((line) => process.stderr.write(`${line}\n`));
  if (!program) return undefined;
  const reserved = await reserveFreePort();
  const { port } = reserved;
  await reserved.release();
  let running: ChildProcess | undefined;
  const redis: OwnRedis = {
    url: `redis://127.0.0.1:${port}`,
    start: async () => {
      running = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
      await until(() => answers(port), { what: 'a Redis that answers' });
    },
    stop: async () => {
      const ending = running;
      running = undefined;
      if (!ending || ending.exitCode !== null) return;
      ending.kill('SIGKILL');
      await once(ending, 'exit');
    },
    freeze: () => running?.kill('SIGSTOP'),
    thaw: () => running?.kill('SIGCONT'),
  };
  await redis.start();
  return redis;
};
