import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { demoPassword, emailOf, platformUsers } from './demo.ts';
import { holderOf } from './lock.ts';
import { openDataPaths, root } from './paths.ts';
import { forgetData, startPlatform } from './platform.ts';
import { startOf } from './process-identity.ts';
import { RunningProcesses } from './running-processes.ts';
import { StartError } from './start-error.ts';

const options = {
  detach: { type: 'boolean' },
  stop: { type: 'boolean' },
  fresh: { type: 'boolean' },
  idp: { type: 'string' },
  'single-process': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const usage = `npm start [-- options]
  --detach          return once the platform is ready; --stop ends it
  --stop            end the platform that runs on this data
  --fresh           forget the data first
  --idp local       the identity provider: local, or keycloak for a real one (needs a JDK and Maven)
  --single-process  all services in one process
PORT (8080) and ACCESSOPS_DATA (.accessops) are read from the environment.`;

const stopWithinMs = 60_000;
// Set for a platform in the background, which outlives the process that started it.
const detachedMark = 'ACCESSOPS_DETACHED';

interface Settings {
  dataDir: string;
  port: number;
  fresh: boolean;
  singleProcess: boolean;
  identityProvider: 'local' | 'keycloak';
}

const readArguments = (args: string[]) => {
  try {
    return parseArgs({ args, options, strict: true }).values;
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message.split('. ')[0] : error}; npm start -- --help lists the options.`);
  }
};

const readPort = (): number => {
  const port = Number(process.env.PORT || 8080);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new StartError(`PORT is "${process.env.PORT}", which is no port number.`);
  return port;
};

const say = (line = '') => process.stdout.write(`${line}\n`);

/** What somebody who sees it for the first time needs to go on. */
const introduce = (url: string) => {
  const api = `${url}/api/v1`;
  const json = "-H 'content-type: application/json'";
  const pick = (path: string) => `node -pe 'JSON.parse(fs.readFileSync(0)).${path}'`;
  const credentials = JSON.stringify({ email: emailOf('requester', 'acme'), password: demoPassword });
  const wish = JSON.stringify({ resourceId: 'RESOURCE', role: 'reader', justification: 'A first look', duration: 'PT1H' });
  say(`
AccessOps answers at ${url}, its reference is at ${url}/docs.

Demo users, all with the password ${demoPassword}:
  ${['admin', 'manager', 'approver1', 'approver2', 'requester', 'auditor'].map((name) => emailOf(name, 'acme')).join(' ')}
  the same names at globex.test, ${platformUsers.map(({ email, realmRoles }) => `${email} (${realmRoles.join()})`).join(' and ')}

Three lines to try: log in, find the staging database, ask to read it for an hour.
  TOKEN=$(curl -s ${api}/auth/login ${json} -d '${credentials}' | ${pick('accessToken')})
  RESOURCE=$(curl -sg "${api}/catalog/resources?filter[key][eq]=staging-db" -H "authorization: Bearer $TOKEN" | ${pick('items[0].id')})
  curl -s ${api}/requests ${json} -H "authorization: Bearer $TOKEN" -d '${wish.replace('RESOURCE', `'"$RESOURCE"'`)}'
`);
};

/** Runs the platform until a signal, its parent's end, or the end of a part that cannot be brought back. */
const runInForeground = async ({ dataDir, port, fresh, singleProcess, identityProvider }: Settings): Promise<number> => {
  const breakOff = new AbortController();
  let stopRequested: () => void = () => {};
  const untilStopped = new Promise<undefined>((done) => {
    stopRequested = () => {
      breakOff.abort();
      done(undefined);
    };
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stopRequested);
  process.stdout.on('error', () => undefined);
  // npm or the terminal may be killed without a word to us; nothing may stay behind.
  const parent = process.ppid;
  if (!process.env[detachedMark]) setInterval(() => process.ppid !== parent && stopRequested(), 500).unref();

  if (fresh) {
    if (holderOf(dataDir)) throw new StartError('The platform on this data still runs; npm start -- --stop ends it.');
    await new RunningProcesses(openDataPaths(dataDir).run).endAll();
    forgetData(dataDir);
  }
  try {
    const platform = await startPlatform({ dataDir, port, singleProcess, identityProvider, onProgress: say, signal: breakOff.signal });
    introduce(platform.url);
    say(`ready ${platform.url}`);
    const failure = await Promise.race([untilStopped, platform.failed]);
    if (failure) process.stderr.write(`${failure.message}\n`);
    say('Stopping …');
    await platform.stop();
    say('Stopped.');
    return failure ? 1 : 0;
  } catch (error) {
    // Told to stop before everything was up: that is no failure.
    if (breakOff.signal.aborted) return 0;
    throw error;
  }
};

/** Starts the platform in the background and answers once it is ready or has failed. */
const startDetached = async (args: string[], { dataDir }: Settings): Promise<number> => {
  const { logs } = openDataPaths(dataDir);
  const logFile = join(logs, 'platform.log');
  const log = openSync(logFile, 'a');
  const from = statSync(logFile).size;
  const child = spawn(process.execPath, [join(root, 'dev', 'main.ts'), 'start', ...args.filter((arg) => arg !== '--detach')], {
    cwd: root,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, [detachedMark]: '1' },
  });
  closeSync(log);
  let exitCode: number | undefined;
  child.once('exit', (code) => {
    exitCode = code ?? 1;
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill('SIGTERM'));
  let shown = from;
  for (;;) {
    const ended = exitCode !== undefined;
    const text = readFileSync(logFile).subarray(shown).toString();
    const end = text.lastIndexOf('\n') + 1;
    process.stdout.write(text.slice(0, end));
    shown += Buffer.byteLength(text.slice(0, end));
    if (/^ready /m.test(text.slice(0, end))) break;
    if (ended) return exitCode ?? 1;
    await delay(50);
  }
  child.unref();
  return 0;
};

const stopRunning = async (dataDir: string): Promise<number> => {
  const holder = holderOf(dataDir);
  if (holder) {
    process.kill(holder.pid, 'SIGTERM');
    for (const deadline = Date.now() + stopWithinMs; startOf(holder.pid) === holder.start; await delay(50))
      if (Date.now() > deadline)
        throw new StartError(
          `The platform (process ${holder.pid}) does not end; its logs are in ${relative(process.cwd(), join(dataDir, 'logs'))}/.`,
        );
  }
  // A platform that was killed may have left its parts behind.
  const left = await new RunningProcesses(openDataPaths(dataDir).run).endAll();
  say(holder || left.length > 0 ? 'Stopped.' : 'No platform runs on this data.');
  return 0;
};

/** `npm start`: answers the exit code. */
export const start = async (args: string[]): Promise<number> => {
  const given = readArguments(args);
  if (given.help) {
    say(usage);
    return 0;
  }
  const identityProvider = given.idp ?? 'local';
  if (identityProvider !== 'local' && identityProvider !== 'keycloak')
    throw new StartError(`The identity provider "${identityProvider}" is not known: there are "local" and "keycloak".`);
  const dataDir = resolve(root, process.env.ACCESSOPS_DATA || '.accessops');
  if (given.stop) return stopRunning(dataDir);
  mkdirSync(dataDir, { recursive: true });
  const settings = {
    dataDir,
    port: readPort(),
    fresh: given.fresh ?? false,
    singleProcess: given['single-process'] ?? false,
    identityProvider,
  } as const;
  return given.detach ? startDetached(args, settings) : runInForeground(settings);
};
