import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { services } from '@accessops/events/topology';
import { currentCommit } from './current-commit.ts';
import { makeDemoDatabase } from './demo-database.ts';
import { prepareKeycloak } from './keycloak.ts';
import { createKeycloakDatabase } from './keycloak-database.ts';
import { findKeycloak } from './keycloak-server.ts';
import { takeLock } from './lock.ts';
import type { MigrateConfig } from './migrate-command.ts';
import { prepareNats } from './nats.ts';
import { findNatsServer } from './nats-server.ts';
import { natsUsers } from './nats-users.ts';
import { type DataPaths, openDataPaths, root } from './paths.ts';
import { policyNews } from './policy-news.ts';
import { preparePolicyServer } from './policy-server.ts';
import { type ReservedPort, reserve, reserveFreePort } from './ports.ts';
import { postgresUrl, preparePostgres } from './postgres.ts';
import { database, namespace, type Ports, processEnvironments, type ServerEnvironments, servers } from './process-environments.ts';
import { ProcessGroup } from './process-group.ts';
import { runProgram } from './run-program.ts';
import { openSecrets, type Secrets } from './secrets.ts';
import { serverProcesses, singleProcess } from './server-processes.ts';
import { sourceFiles } from './source-files.ts';
import { StartError } from './start-error.ts';
import { watchPolicies } from './watch-policies.ts';

export interface PlatformOptions {
  /** Everything the platform makes is kept here. */
  dataDir: string;
  /** Port of the gateway; 0 for a free one. */
  port?: number;
  /** All services and the gateway in one process. */
  singleProcess?: boolean;
  /** Who keeps passwords and sessions; local by default. Stays the same for as long as the data is kept. */
  identityProvider?: 'local' | 'keycloak';
  /** Whether to start the services and the gateway, one of each; false: whoever asks for it does, by `environments`. */
  servers?: boolean;
  /** Whether to make the demo data when there is none yet. */
  seed?: boolean;
  /** Whether calls are limited; not for suites and load tests, which call more than people do. */
  limits?: boolean;
  /** Whether the database survives a power cut. */
  durable?: boolean;
  onProgress?: (line: string) => void;
  /** Breaks off the start; what has been started is stopped. */
  signal?: AbortSignal;
}

/** A platform that runs. */
export interface Platform {
  url: string;
  dataDir: string;
  /** Port of each part, all on 127.0.0.1. */
  ports: Ports;
  secrets: Secrets;
  /** What each of our own processes is told. */
  environments: ServerEnvironments;
  /** Address of the database for the superuser. */
  adminUrl: string;
  /** Process id of each part that runs at the moment. */
  pids(): Record<string, number>;
  /** Sends a signal to one part; when it dies it is started again. */
  kill(name: string, signal: NodeJS.Signals): void;
  /** Settles when a part died and could not be brought back. */
  failed: Promise<StartError>;
  /** Stops everything in order; answers when nothing is left. */
  stop(): Promise<void>;
}

const partNames = ['gateway', ...services, 'postgres', 'nats', 'cerbos'] as const;
const healthyWithinMs = 60_000;

// Stopped from the highest to the lowest: nobody loses what it still needs.
const stages = { infrastructure: 0, keycloak: 1, services: 2, gateway: 3 };

type PartPorts = Record<(typeof partNames)[number] | 'cerbosHttp', ReservedPort> &
  Partial<Record<'keycloak' | 'keycloakManagement', ReservedPort>>;

interface Start {
  options: PlatformOptions;
  paths: DataPaths;
  secrets: Secrets;
  reserved: PartPorts;
  ports: Ports;
  url: string;
  environments: ServerEnvironments;
  group: ProcessGroup;
  progress: (line: string) => void;
}

/** Removes what a platform keeps, apart from its logs. */
export const forgetData = (dataDir: string): void => {
  for (const folder of ['data', 'secrets', 'run', 'mail']) rmSync(join(dataDir, folder), { recursive: true, force: true });
};

const reserveGatewayPort = async (port: number): Promise<ReservedPort> => {
  if (port === 0) return reserveFreePort();
  try {
    return await reserve(port);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'is taken' : 'cannot be used';
    throw new StartError(`Port ${port} ${why}: please choose another one, for example PORT=${port + 1} npm start.`);
  }
};

const reservePorts = async (gatewayPort: number, withKeycloak: boolean): Promise<PartPorts> => {
  const reserved = { gateway: await reserveGatewayPort(gatewayPort) } as PartPorts;
  for (const name of [...partNames.slice(1), 'cerbosHttp'] as const) reserved[name] = await reserveFreePort();
  if (withKeycloak) for (const name of ['keycloak', 'keycloakManagement'] as const) reserved[name] = await reserveFreePort();
  return reserved;
};

const startPostgres = async ({ options, paths, secrets, reserved, group }: Start) => {
  const { postgres: port } = reserved;
  const directory = join(paths.data, 'postgres');
  const spec = await preparePostgres({ directory, port, password: secrets.postgres, durable: options.durable, signal: group.stopping });
  await group.launch(spec, stages.infrastructure);
};

const startNats = async ({ paths, secrets, reserved, group, progress }: Start) => {
  const program = await findNatsServer(progress, group.stopping);
  const [directory, configFile] = [join(paths.data, 'nats'), join(paths.run, 'nats.conf')];
  const spec = prepareNats({ program, directory, configFile, port: reserved.nats, users: natsUsers(namespace, secrets.nats) });
  await group.launch(spec, stages.infrastructure);
};

const startCerbos = async ({ paths, reserved, ports, secrets, group, progress }: Start) => {
  const { cerbos: grpcPort, cerbosHttp: httpPort } = reserved;
  const source = join(root, 'policies');
  const broker = { url: `nats://127.0.0.1:${ports.nats}`, user: 'platform', password: secrets.nats.platform };
  const server = preparePolicyServer({
    source,
    directory: join(paths.data, 'policies'),
    configFile: join(paths.run, 'cerbos.yaml'),
    grpcPort,
    httpPort,
    news: policyNews(broker, namespace),
  });
  await group.launch(server.spec, stages.infrastructure);
  const unwatch = watchPolicies(source, () => {
    server.reload().then(
      (version) => progress(`The policies are those of version ${version.slice(0, 12)}.`),
      (error: unknown) => progress(error instanceof Error ? error.message : 'The policies could not be loaded.'),
    );
  });
  group.stopping.addEventListener('abort', unwatch);
};

const startKeycloak = async ({ paths, secrets, reserved, ports, group, progress }: Start, databaseReady: Promise<void>) => {
  const { keycloak: httpPort, keycloakManagement: managementPort } = reserved;
  if (!httpPort || !managementPort) return;
  const server = await findKeycloak(progress, group.stopping);
  await databaseReady;
  const login = { name: 'keycloak', user: 'keycloak', password: secrets.keycloak.database };
  const database = { host: '127.0.0.1', port: ports.postgres, ...login };
  await createKeycloakDatabase(postgresUrl(ports.postgres, 'postgres', secrets.postgres, 'postgres'), database);
  progress('Starting Keycloak (a minute the first time) …');
  const realmFile = join(root, 'deploy', 'keycloak', 'accessops-realm.json');
  const { client: clientSecret, admin: adminPassword } = secrets.keycloak;
  const home = join(paths.data, 'keycloak');
  await group.launch(
    prepareKeycloak({ server, realmFile, home, httpPort, managementPort, database, clientSecret, adminPassword }),
    stages.keycloak,
  );
};

/** People are known by what their provider calls them: data of one provider means nothing to the other. */
const keepProvider = ({ identityProvider = 'local' }: PlatformOptions, paths: DataPaths) => {
  const file = join(paths.data, 'identity-provider');
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : existsSync(join(paths.data, 'seeded')) ? 'local' : identityProvider;
  if (kept !== identityProvider)
    throw new StartError(`This data was made with the identity provider "${kept}": please add --idp ${kept}, or --fresh to forget it.`);
  writeFileSync(file, identityProvider);
};

/** In a process of its own: the ORM takes as long to load as the database to start, and is not needed afterwards. */
const runMigrations = async ({ paths, ports, secrets, group, progress }: Start, databaseReady: Promise<void>) => {
  const config: MigrateConfig = {
    adminUrl: postgresUrl(ports.postgres, 'postgres', secrets.postgres, 'postgres'),
    database,
    passwords: secrets.database,
  };
  const input = databaseReady.then(() => JSON.stringify(config));
  const { code, output } = await runProgram(process.execPath, [join(import.meta.dirname, 'migrate-command.ts')], {
    input,
    signal: group.stopping,
  });
  await databaseReady;
  group.stopping.throwIfAborted();
  const log = join(paths.logs, 'migrations.log');
  appendFileSync(log, output);
  if (code !== 0) throw new StartError(`The migrations failed; see ${relative(process.cwd(), log)}.`);
  if (!output.startsWith('0 ')) progress(`Ran ${output.trim()}.`);
};

const startServers = async ({ options, paths, environments, reserved, group }: Start) => {
  const server = { environments, ports: reserved };
  const specs = options.singleProcess ? singleProcess(server, join(paths.run, 'single-process.json')) : serverProcesses(server);
  await Promise.all(specs.map((spec) => group.launch(spec, spec.name === 'gateway' ? stages.gateway : stages.services)));
};

const codeChangedAt = () =>
  Math.max(
    ...['pnpm-lock.yaml', ...['proto', 'packages', 'services', 'gateway'].flatMap((folder) => sourceFiles(folder, '.ts'))].map(
      (path) => statSync(join(root, path)).mtimeMs,
    ),
  );

/**
 * Loads the code of all processes once, when it has not been compiled here as it is now: Node keeps the result, and the six
 * that start afterwards neither spend the time nor keep the compiler's memory.
 */
const warmUp = async ({ group }: Start) => {
  const cache = process.env.NODE_COMPILE_CACHE;
  if (!cache) return;
  const done = join(cache, `warm-${process.version}`);
  if (existsSync(done) && statSync(done).mtimeMs > codeChangedAt()) return;
  await runProgram(process.execPath, [join(import.meta.dirname, 'warm-up.ts')], { signal: group.stopping });
  if (existsSync(cache)) writeFileSync(done, '');
};

const waitUntilHealthy = async ({ url, paths, group }: Start) => {
  let answer = 'nothing';
  for (const deadline = Date.now() + healthyWithinMs; Date.now() < deadline; await delay(50)) {
    group.stopping.throwIfAborted();
    try {
      const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(2000) });
      answer = await response.text();
      if (response.ok && (JSON.parse(answer) as { status?: string }).status === 'ok') return;
    } catch {}
  }
  throw new StartError(
    `The platform did not become healthy within ${healthyWithinMs / 1000} s (${answer.slice(0, 200)}); see ${relative(process.cwd(), paths.logs)}/.`,
  );
};

/** Makes the demo data once; what people change or delete afterwards stays as they left it. */
const seedOnce = async ({ url, paths, group, progress }: Start) => {
  const done = join(paths.data, 'seeded');
  if (existsSync(done)) return;
  progress('Making the demo data …');
  const { seed } = await import('./seed.ts');
  await seed(url, group.stopping);
  writeFileSync(done, new Date().toISOString());
};

const bringUp = async (start: Start) => {
  start.progress('Starting PostgreSQL, NATS and Cerbos …');
  const databaseReady = startPostgres(start);
  const keycloakReady = startKeycloak(start, databaseReady);
  keycloakReady.catch(() => undefined);
  const { ports, secrets } = start;
  const demoReady = databaseReady.then(() =>
    makeDemoDatabase(postgresUrl(ports.postgres, 'postgres', secrets.postgres, 'postgres'), secrets.demoDatabase),
  );
  await Promise.all([databaseReady, demoReady, startNats(start), startCerbos(start), runMigrations(start, databaseReady), warmUp(start)]);
  await keycloakReady;
  if (start.options.servers === false) {
    for (const name of servers) await start.reserved[name].release();
    return;
  }
  start.progress(start.options.singleProcess ? 'Starting the services in one process …' : 'Starting the services and the gateway …');
  await startServers(start);
  await waitUntilHealthy(start);
  if (start.options.seed ?? true) await seedOnce(start);
};

/** Starts real PostgreSQL, NATS and Cerbos, migrates, starts the services and the gateway, and makes the demo data. */
export const startPlatform = async (options: PlatformOptions): Promise<Platform> => {
  const paths = openDataPaths(options.dataDir);
  const release = takeLock(paths.directory);
  if (!release)
    throw new StartError(`A platform runs on ${relative(process.cwd(), paths.directory) || '.'} already; npm start -- --stop ends it.`);
  const group = new ProcessGroup(paths);
  let bringingUp: Promise<void> | undefined;
  let reserved: Partial<PartPorts> = {};
  const stop = once(async () => {
    await group.stop();
    // What was under way when the stop came ends by itself, and may not outlive it.
    await bringingUp?.catch(() => undefined);
    for (const port of Object.values(reserved)) await port.release();
    release();
  });
  const breakOff = () => void stop();
  try {
    options.signal?.throwIfAborted();
    options.signal?.addEventListener('abort', breakOff);
    await group.endLeftovers();
    const secrets = openSecrets(paths.secrets);
    keepProvider(options, paths);
    const partPorts = await reservePorts(options.port ?? 8080, options.identityProvider === 'keycloak');
    reserved = partPorts;
    const ports = Object.fromEntries(
      [...partNames, ...(partPorts.keycloak ? (['keycloak'] as const) : [])].map((name) => [name, partPorts[name]?.port]),
    ) as unknown as Ports;
    const url = `http://localhost:${ports.gateway}`;
    const environments = processEnvironments(ports, secrets, {
      ...options,
      mailDirectory: paths.mail,
      filesDirectory: paths.files,
      commit: await currentCommit(),
    });
    const start: Start = {
      options,
      paths,
      secrets,
      reserved: partPorts,
      ports,
      url,
      environments,
      group,
      progress: options.onProgress ?? (() => {}),
    };
    bringingUp = bringUp(start);
    const broken = group.failed.then((error) => Promise.reject(error));
    await Promise.race([bringingUp, broken]);
    group.stopping.throwIfAborted();
    return {
      url,
      dataDir: paths.directory,
      ports,
      secrets,
      environments,
      adminUrl: postgresUrl(ports.postgres, 'postgres', secrets.postgres, database),
      pids: () => group.pids(),
      kill: (name, signal) => group.kill(name, signal),
      failed: group.failed,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', breakOff);
  }
};

const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
};
