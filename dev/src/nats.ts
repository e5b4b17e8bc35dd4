import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Permissions } from '@accessops/events/topology';
import type { ReservedPort } from './ports.ts';
import type { ServerCertificate } from './server-certificate.ts';
import type { ProcessSpec } from './supervise.ts';

/** A login of the NATS server; without permissions it may do everything. */
export interface NatsUser {
  user: string;
  password: string;
  permissions?: Permissions;
}

export interface NatsOptions {
  program: string;
  /** Where the streams are kept. */
  directory: string;
  /** Where the configuration file is written. */
  configFile: string;
  port: ReservedPort;
  users: NatsUser[];
  /** Files by which it serves by TLS; whoever shows no certificate of that CA is sent away. */
  tls?: ServerCertificate;
}

// An empty list of allowed subjects would allow them all.
const only = (subjects: string[]) => (subjects.length > 0 ? { allow: subjects } : { deny: ['>'] });

/** A login as the server's configuration has it. */
export const natsLogin = ({ user, password, permissions }: NatsUser) => ({
  user,
  password,
  ...(permissions && { permissions: { publish: only(permissions.publish), subscribe: only(permissions.subscribe) } }),
});

const greets = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (chunk) => end(chunk.toString().startsWith('INFO ')));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
    socket.once('close', () => end(false));
  });

/** A real NATS server with JetStream, on loopback only. */
export const prepareNats = ({ program, directory, configFile, port, users, tls }: NatsOptions): ProcessSpec => {
  mkdirSync(directory, { recursive: true });
  mkdirSync(join(configFile, '..'), { recursive: true });
  const config = {
    server_name: 'accessops',
    host: '127.0.0.1',
    port: port.port,
    jetstream: { store_dir: directory, max_memory_store: 256 * 1024 ** 2, max_file_store: 20 * 1024 ** 3 },
    authorization: { users: users.map(natsLogin) },
    ...(tls && { tls: { cert_file: tls.cert, key_file: tls.key, ca_file: tls.ca, verify: true } }),
  };
  // NATS reads JSON as its own format.
  writeFileSync(configFile, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return { name: 'nats', program, args: ['-c', configFile], ports: [port], answers: () => greets(port.port) };
};
