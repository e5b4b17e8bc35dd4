import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { type Platform, type PlatformOptions, root, startPlatform } from '../../src/index.ts';
import { startOf } from '../../src/process-identity.ts';

const run = promisify(execFile);
const folders: string[] = [];
const platforms: Platform[] = [];

const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'accessops-platform-'));
  folders.push(folder);
  return folder;
};

const start = async (options: Partial<PlatformOptions> = {}) => {
  const platform = await startPlatform({ dataDir: newFolder(), port: 0, seed: false, durable: false, ...options });
  platforms.push(platform);
  return platform;
};

afterAll(async () => {
  await Promise.all(platforms.map((platform) => platform.stop()));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const isHealthy = async (url: string) => {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(10_000) })).status === 200;
  } catch {
    return false;
  }
};

// What takes long for a moment counts as down for that long.
const becomesHealthy = (url: string) => vi.waitUntil(() => isHealthy(url), { timeout: 120_000, interval: 50 });

const account = { email: 'ada@example.test', password: 'correct-horse-battery', firstName: 'Ada', lastName: 'Admin' };

const post = (url: string, path: string, body: unknown) =>
  fetch(`${url}/api/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

const parts = ['approvals', 'audit', 'cerbos', 'gateway', 'identity', 'nats', 'postgres', 'provisioner', 'requests'];

describe('two platforms side by side', { timeout: 400_000 }, () => {
  let one: Platform;
  let other: Platform;

  test('when both start at once, then both are healthy and share no port', async () => {
    [one, other] = await Promise.all([start(), start()]);
    await Promise.all([becomesHealthy(one.url), becomesHealthy(other.url)]);
    const ports = [one, other].flatMap((platform) => Object.values(platform.ports));
    expect(new Set(ports).size).toBe(ports.length);
  });

  test('when a platform runs, then each part has its pid file and its log, and the secrets are for their owner only', () => {
    const files = readdirSync(join(one.dataDir, 'run')).filter((file) => file.endsWith('.pid'));
    expect(files.map((file) => file.slice(0, -4)).toSorted()).toEqual(parts);
    for (const [name, pid] of Object.entries(one.pids()))
      expect(readFileSync(join(one.dataDir, 'run', `${name}.pid`), 'utf8')).toBe(`${pid}\n`);
    for (const name of parts) expect(existsSync(join(one.dataDir, 'logs', `${name}.log`))).toBe(true);
    const secrets = join(one.dataDir, 'secrets');
    for (const path of [secrets, ...readdirSync(secrets).map((file) => join(secrets, file))]) expect(statSync(path).mode & 0o077).toBe(0);
  });

  test('when somebody comes from outside, then no part listens', async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((found) => found && !found.internal && found.family === 'IPv4')?.address;
    const refused = (port: number) =>
      new Promise<boolean>((resolve) => {
        const socket = connect({ port, host: address, timeout: 1000 });
        socket
          .once('connect', () => resolve(false))
          .once('error', () => resolve(true))
          .once('timeout', () => resolve(true));
        socket.once('close', () => socket.destroy());
      });
    expect(address === undefined || (await Promise.all(Object.values(one.ports).map(refused))).every(Boolean)).toBe(true);
  });

  test('when a second platform wants the same data, then it is refused with one sentence', async () => {
    await expect(startPlatform({ dataDir: one.dataDir, port: 0 })).rejects.toThrow(
      /^A platform runs on .* already; npm start -- --stop ends it\.$/,
    );
    await becomesHealthy(one.url);
  });

  test('when the port of the gateway is taken, then that is said in one sentence', async () => {
    await expect(startPlatform({ dataDir: newFolder(), port: one.ports.gateway })).rejects.toThrow(
      /^Port \d+ is taken: please choose another one/,
    );
  });

  test.each(parts)('when %s is killed, then it is started again on its port and the platform is healthy', async (name) => {
    const before = one.pids();
    one.kill(name, 'SIGKILL');
    const restarted = await vi.waitUntil(() => one.pids()[name] !== before[name] && one.pids()[name], { timeout: 120_000, interval: 10 });
    expect(readFileSync(join(one.dataDir, 'run', `${name}.pid`), 'utf8')).toBe(`${restarted}\n`);
    await becomesHealthy(one.url);
    const { [name]: _, ...others } = one.pids();
    expect(before).toMatchObject(others);
  });

  test('when a platform is stopped, then nothing of it is left, and the other goes on', async () => {
    expect((await post(one.url, '/auth/register', { ...account, organization: { name: 'Kept', slug: 'kept' } })).status).toBe(201);
    const pids = Object.values(one.pids());
    await one.stop();
    expect(pids.filter((pid) => startOf(pid))).toEqual([]);
    expect(readdirSync(join(one.dataDir, 'run')).filter((file) => file.endsWith('.pid'))).toEqual([]);
    expect(existsSync(join(one.dataDir, 'platform.lock'))).toBe(false);
    expect(await isHealthy(one.url)).toBe(false);
    await becomesHealthy(other.url);
    await other.stop();
  });

  test('when it is started again on the same data, in one process this time, then everything is still there', async () => {
    const again = await start({ dataDir: one.dataDir, singleProcess: true });
    expect(Object.keys(again.pids()).toSorted()).toEqual(['accessops', 'cerbos', 'nats', 'postgres']);
    const { email, password } = account;
    expect((await post(again.url, '/auth/login', { email, password })).status).toBe(200);
    await again.stop();
  });
});

/** Processes whose command line or environment names the folder, where the system tells. */
const processesOf = (folder: string) =>
  (existsSync('/proc/self') ? readdirSync('/proc') : []).filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        Number(pid) !== process.pid &&
        ['cmdline', 'environ'].some((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(folder))
      );
    } catch {
      return false;
    }
  });

describe('a start that is broken off', { timeout: 400_000 }, () => {
  test.each([0, 300, 1500, 4000])('when that happens after %i ms, then nothing is left', async (afterMs) => {
    const dataDir = newFolder();
    const signal = AbortSignal.timeout(afterMs);
    const started = startPlatform({ dataDir, port: 0, seed: false, durable: false, signal });
    const outcome = await started.then(
      (platform) => platform.stop().then(() => 'was up'),
      () => 'broken off',
    );
    expect(['broken off', 'was up']).toContain(outcome);
    expect(processesOf(dataDir)).toEqual([]);
    expect(existsSync(join(dataDir, 'platform.lock'))).toBe(false);
  });
});

describe('npm start', { timeout: 400_000 }, () => {
  const npmStart = async (dataDir: string, ...args: string[]) => {
    const env = { ...process.env, ACCESSOPS_DATA: dataDir, PORT: '0' };
    const ended = await run(process.execPath, [join(root, 'dev', 'main.ts'), 'start', ...args], { cwd: root, env }).catch(
      (error: unknown) => error,
    );
    const { code = 0, stdout, stderr } = ended as { code?: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  };

  test('when it runs in the background, then it returns once ready, is found by a second start, and ends on demand', async () => {
    const dataDir = newFolder();
    const { code, stdout } = await npmStart(dataDir, '--detach');
    expect(code).toBe(0);
    const ready = stdout.split('\n').filter((line) => line.startsWith('ready '));
    expect(ready).toEqual([expect.stringMatching(/^ready http:\/\/localhost:\d+$/)]);
    expect(stdout.match(/^ {2}.*curl /gm)).toHaveLength(3);
    const url = ready[0]?.slice('ready '.length) ?? '';
    expect((await post(url, '/auth/login', { email: 'requester@acme.test', password: 'accessops-demo-2026' })).status).toBe(200);

    expect(await npmStart(dataDir)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^A platform runs on .*\n$/) });
    expect(await npmStart(dataDir, '--stop')).toEqual({ code: 0, stdout: 'Stopped.\n', stderr: '' });
    expect(processesOf(dataDir)).toEqual([]);
    expect(await npmStart(dataDir, '--stop')).toMatchObject({ code: 0, stdout: 'No platform runs on this data.\n' });
  });

  test.each([
    [['--idp', 'unheard-of'], /^The identity provider "unheard-of" is not known.*\n$/],
    [['--sideways'], /^Unknown option '--sideways'; npm start -- --help lists the options\.\n$/],
  ])('when it is called with %j, then it says in one sentence what is wrong', async (args, sentence) => {
    expect(await npmStart(newFolder(), ...args)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(sentence) });
  });
});
