// What `npm start`, `npm test` and the others run first: plain JavaScript for any Node from 20 on, without a single dependency.
// It installs the workspace when that is needed and goes on with `dev/main.ts` on a Node that is new enough.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const pnpm = 'pnpm@12.21.0';
const oldestNode = 24;
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.accessops-install');
const logFile = join(resolve(root, process.env.ACCESSOPS_DATA || '.accessops'), 'logs', 'install.log');

const [command, ...rest] = process.argv.slice(2);
const child = { current: undefined, signal: undefined };
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    child.signal = signal;
    child.current?.kill(signal);
  });
}

process.on('uncaughtException', (error) => fail(`It did not work: ${error.message}.`));

// npm may be killed without a word to us; what it started must not stay behind.
const parent = process.ppid;
if (process.env.npm_lifecycle_event) {
  setInterval(() => {
    if (process.ppid !== parent) child.current?.kill('SIGTERM');
  }, 500).unref();
}

await install();
useHooks();
await continueOn(findNode());

/** Installs the workspace unless it stands as the lockfile wants it. */
async function install() {
  const stamp = `${process.platform}-${process.arch} ${createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex')}`;
  const isInstalled = () => read(stampFile) === stamp;
  if (isInstalled()) return;
  await takeTurn();
  if (isInstalled()) return;
  const startedAt = Date.now();
  console.log('Installing the packages of the workspace (the first time this takes a minute) …');
  mkdirSync(join(logFile, '..'), { recursive: true });
  // One more try after ten seconds: without a network the answer should not take minutes.
  const env = { ...process.env, npm_config_fetch_retries: '1' };
  const args = ['-y', pnpm, '--config.pm-on-fail=ignore', '--config.confirm-modules-purge=false'];
  const output = [];
  let state = 'getting pnpm';
  const seconds = () => ((Date.now() - startedAt) / 1000).toFixed(0);
  const progress = setInterval(() => console.log(`  ${seconds()} s: ${state}`), 3000);
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
  const code = await run(npx, [...args, 'install', '--frozen-lockfile', '--reporter=append-only'], env, (text) => {
    output.push(text);
    for (const [, resolved, added] of text.matchAll(/Progress: resolved (\d+).*added (\d+)/g)) state = `${added} of ${resolved} packages`;
    for (const [, name] of text.matchAll(/^Downloading (\S+)@/gm)) state = `downloading ${name}`;
    if (/^\W*Verifying lockfile/m.test(text)) state = 'checking the lockfile';
  });
  clearInterval(progress);
  writeFileSync(logFile, output.join(''));
  if (code !== 0) {
    if (child.signal) process.exit(128 + constants.signals[child.signal]);
    fail(`The packages could not be installed: is the npm registry reachable? Details are in ${relative(process.cwd(), logFile)}.`);
  }
  writeFileSync(stampFile, stamp);
  console.log(`Installed in ${seconds()} s.`);
}

/** Waits while another command installs the same workspace; a turn whose owner was killed is over. */
async function takeTurn() {
  const file = join(root, '.accessops', 'installing');
  mkdirSync(join(file, '..'), { recursive: true });
  process.on('exit', () => {
    if (read(file) === String(process.pid)) rmSync(file);
  });
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return;
    } catch {
      if (!isRunning(read(file))) rmSync(file, { force: true });
    }
    if (child.signal) process.exit(128 + constants.signals[child.signal]);
    await new Promise((done) => setTimeout(done, 200));
  }
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isRunning(pid) {
  try {
    // An empty file is one that is just being written.
    return pid === '' || process.kill(Number(pid), 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The commit hooks of the repository, for people who work on it. */
function useHooks() {
  if (process.env.CI || !existsSync(join(root, '.git'))) return;
  const hooks = spawnSync('git', ['config', '--local', 'core.hooksPath'], { cwd: root, encoding: 'utf8' });
  if (hooks.error || hooks.stdout.trim() !== '') return;
  spawnSync('git', ['config', '--local', 'core.hooksPath', 'dev/hooks'], { cwd: root, stdio: 'ignore' });
}

/** The Node to go on with: the one from the registry, else the running one when it is new enough. */
function findNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const installed = join(modules, `node-${platform}-${process.arch}`, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  // Asked for its version because a binary for another C library exists, but does not run.
  if (existsSync(installed) && spawnSync(installed, ['--version']).status === 0) return installed;
  if (Number(process.versions.node.split('.')[0]) >= oldestNode) return process.execPath;
  return fail(
    `AccessOps needs Node ${oldestNode}, and the registry has none for ${platform}-${process.arch}: please install Node ${oldestNode} or newer and try again.`,
  );
}

async function continueOn(node) {
  const path = [join(node, '..'), join(modules, '.bin'), process.env.PATH].join(delimiter);
  // What was compiled once is kept: it halves the start of each process and saves its memory.
  const env = { NODE_COMPILE_CACHE: join(modules, '.cache', 'compiled'), ...process.env, PATH: path };
  const code = await run(node, [join(root, 'dev', 'main.ts'), command ?? '', ...rest], env);
  process.exit(code);
}

/** Runs a program until its end and answers its exit code; signals that arrive meanwhile are passed on to it. */
function run(program, args, env, onOutput) {
  if (child.signal) process.exit(128 + constants.signals[child.signal]);
  return new Promise((done) => {
    const started = spawn(program, args, {
      cwd: root,
      env,
      stdio: onOutput ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      shell: onOutput && process.platform === 'win32',
    });
    child.current = started;
    if (onOutput) for (const stream of [started.stdout, started.stderr]) stream.setEncoding('utf8').on('data', onOutput);
    const end = (code) => {
      child.current = undefined;
      done(code);
    };
    started.once('error', (error) => {
      onOutput?.(`${error.message}\n`);
      end(127);
    });
    started.once('close', (code, signal) => end(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}

function fail(sentence) {
  rmSync(stampFile, { force: true });
  console.error(sentence);
  process.exit(1);
}
