import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findS3Server } from '@accessops/dev';
import { AwsClient } from 'aws4fetch';
import { startOnFreePort } from './start-on-free-port.ts';

const root = { ACCESS_KEY: 'root', SECRET_KEY: 'root-secret' };

/** An S3 store with users, of a test's own. */
export interface S3Store {
  iamPort: number;
  /** As in the environment, straight or through a proxy on another port. */
  settings(iamPort?: number): { IAM_URL: string; URL: string; REGION: string; ACCESS_KEY: string; SECRET_KEY: string };
  /** Asks the store as the holder of a credential; answers the status. */
  as(credential: Record<string, unknown>, method: string, path: string, body?: string): Promise<number>;
  makeBucket(name: string): Promise<void>;
  close(): Promise<void>;
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

const startWith = async (program: string): Promise<S3Store> => {
  const folder = mkdtempSync(join(tmpdir(), 's3-'));
  for (const name of ['iam', 'data']) mkdirSync(join(folder, name));
  const socket = join(folder, 'iam.sock');
  const env = { ROOT_ACCESS_KEY: root.ACCESS_KEY, ROOT_SECRET_KEY: root.SECRET_KEY };
  const run = (args: string[]) =>
    startOnFreePort((free) => spawn(program, ['--port', `127.0.0.1:${free}`, ...args], { env, stdio: 'ignore' }), listens);
  const { port: iamPort, server: iam } = await run(['iam', '--dir', join(folder, 'iam'), '--private-ports', socket]);
  // What is remembered of users would outlive them.
  const endpoint = ['--iam-standalone-endpoint', socket, '--iam-cache-disable'];
  const { port, server: store } = await run([...endpoint, 'posix', join(folder, 'data')]);
  const url = `http://127.0.0.1:${port}`;
  const as: S3Store['as'] = async ({ accessKeyId, secretAccessKey }, method, path, body) => {
    const keys = { accessKeyId: String(accessKeyId), secretAccessKey: String(secretAccessKey) };
    const client = new AwsClient({ ...keys, region: 'us-east-1', service: 's3', retries: 0 });
    return (await client.fetch(`${url}${path}`, { method, body })).status;
  };
  return {
    iamPort,
    settings: (at = iamPort) => ({ IAM_URL: `http://127.0.0.1:${at}`, URL: url, REGION: 'us-east-1', ...root }),
    as,
    makeBucket: async (name) => {
      await as({ accessKeyId: root.ACCESS_KEY, secretAccessKey: root.SECRET_KEY }, 'PUT', `/${name}`);
    },
    close: async () => {
      for (const child of [store, iam]) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** A store that runs; undefined when there is no program for it on this machine. */
export const startS3Store = async (): Promise<S3Store | undefined> => {
  const program = await findS3Server((line) => process.stderr.write(`${line}\n`));
  return program === undefined ? undefined : startWith(program);
};
