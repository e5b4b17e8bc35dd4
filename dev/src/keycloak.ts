import { copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { KeycloakDatabase } from './keycloak-database.ts';
import type { KeycloakServer } from './keycloak-server.ts';
import type { ReservedPort } from './ports.ts';
import type { ProcessSpec } from './supervise.ts';

const realm = 'accessops';

export interface KeycloakOptions {
  server: KeycloakServer;
  /** The realm to import when the database does not have it yet. */
  realmFile: string;
  /** Folder of what this Keycloak writes. */
  home: string;
  httpPort: ReservedPort;
  managementPort: ReservedPort;
  database: KeycloakDatabase & { host: string; port: number };
  /** Secret of the realm's clients, which only the service `identity` knows. */
  clientSecret: string;
  /** Password of `admin` in Keycloak's own console. */
  adminPassword: string;
}

/** `iss` of the tokens of a Keycloak that listens on a port of this machine. */
export const keycloakIssuer = (port: number): string => `http://127.0.0.1:${port}/realms/${realm}`;

/** A folder that looks like the distribution, with data of its own. */
const openHome = ({ server, home, realmFile }: KeycloakOptions) => {
  mkdirSync(join(home, 'data', 'import'), { recursive: true, mode: 0o700 });
  for (const part of ['lib', 'providers', 'themes', 'conf']) {
    rmSync(join(home, part), { force: true });
    symlinkSync(join(server.directory, part), join(home, part));
  }
  copyFileSync(realmFile, join(home, 'data', 'import', `${realm}-realm.json`));
};

// As the distribution's own script has them, which is left out because it would stand between us and the process's signals.
const javaOptions = [
  '-Dfile.encoding=UTF-8',
  '-Djava.security.egd=file:/dev/urandom',
  '-XX:+ExitOnOutOfMemoryError',
  '-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory',
  '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
  ...['util', 'util.concurrent', 'security', 'lang'].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
  '--enable-native-access=ALL-UNNAMED',
  '-Duser.language=en',
  '-Duser.country=US',
];

/** What a developer wants of Keycloak besides: `KC_HTTP_ACCESS_LOG_ENABLED=true` and the like. */
const handedOn = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('KC_')));

// For a machine that runs the whole platform besides: a third less memory, a start of seconds, slower logins.
const smallJava = ['-Xms64m', '-Xmx256m', '-XX:-UseG1GC', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** A real Keycloak with the realm of the repository, on loopback only. */
export const prepareKeycloak = (options: KeycloakOptions): ProcessSpec => {
  const { server, home, httpPort, managementPort, database, clientSecret, adminPassword } = options;
  openHome(options);
  const settings = {
    cache: 'local',
    'db-url': `jdbc:postgresql://${database.host}:${database.port}/${database.name}`,
    'db-username': database.user,
    'db-pool-initial-size': 2,
    'db-pool-max-size': 20,
    'http-enabled': true,
    'http-host': '127.0.0.1',
    'http-port': httpPort.port,
    'http-management-port': managementPort.port,
    hostname: `http://127.0.0.1:${httpPort.port}`,
    // Else a login that identity has given up waiting for makes the next one of the same person a guess.
    'spi-brute-force-protector--default-brute-force-detector--allow-concurrent-requests': true,
    'log-level': 'warn,org.keycloak.events:error,org.keycloak.http.access-log:info',
  };
  const homeOptions = [`-Dkc.home.dir=${home}`, `-Djboss.server.config.dir=${join(home, 'conf')}`];
  const start = ['-cp', join(home, 'lib', 'quarkus-run.jar'), 'io.quarkus.bootstrap.runner.QuarkusEntryPoint', 'start', '--optimized'];
  return {
    name: 'keycloak',
    program: server.java,
    args: [
      ...javaOptions,
      ...smallJava,
      ...homeOptions,
      ...start,
      '--import-realm',
      ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ],
    // Secrets in the environment: arguments are for everybody to see.
    env: {
      ...handedOn(),
      KC_DB_PASSWORD: database.password,
      KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
      KC_BOOTSTRAP_ADMIN_PASSWORD: adminPassword,
      ACCESSOPS_CLIENT_SECRET: clientSecret,
    },
    ports: [httpPort, managementPort],
    answers: async () => (await fetch(`http://127.0.0.1:${managementPort.port}/health/ready`, { signal: AbortSignal.timeout(2000) })).ok,
  };
};
