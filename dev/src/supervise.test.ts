import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { reserve, reserveFreePort } from './ports.ts';
import { startOf } from './process-identity.ts';
import { type ProcessSpec, supervise } from './supervise.ts';

const folder = mkdtempSync(join(tmpdir(), 'accessops-supervise-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (name: string, code: string, more: Partial<ProcessSpec> = {}) => {
  const logFile = join(folder, `${name}.log`);
  const said = () => {
    try {
      return readFileSync(logFile, 'utf8');
    } catch {
      return '';
    }
  };
  const spec = { name, program: process.execPath, args: ['-e', code], answers: async () => said().includes('up'), ...more };
  return { process: supervise(spec, { logFile }), said };
};

const until = <T>(condition: () => T) => vi.waitUntil(condition, { timeout: 60_000, interval: 10 });

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('when a process dies, then it is started again, and ends for good when it is stopped', async () => {
  const { process: supervised } = script('dies', `console.log('up'); setInterval(() => {}, 1000)`);
  await supervised.ready;
  const first = supervised.pid ?? 0;
  supervised.kill('SIGKILL');
  const second = await until(() => supervised.pid !== first && supervised.pid);
  await supervised.stop();
  expect(supervised.pid).toBeUndefined();
  expect([first, second].filter(isAlive)).toEqual([]);
});

test('when a process never gets up, then it is given up after a few attempts with a sentence that names its log', async () => {
  const { process: supervised } = script('broken', `console.log('no'); process.exit(3)`);
  await expect(supervised.ready).rejects.toThrow(/^broken ended with exit code 3, 4 times in a row; see .*broken\.log\.$/);
  await supervised.stop();
});

test('when a process says that its configuration is wrong, then it is not tried again', async () => {
  const { process: supervised, said } = script('misconfigured', `console.log('no'); process.exit(78)`);
  expect((await supervised.givenUp).message).toMatch(/^misconfigured ended with exit code 78; see /);
  expect(said()).toBe('no\n');
});

test('when there is no such program, then that is said', async () => {
  const { process: supervised } = script('missing', '', { program: join(folder, 'nothing-here') });
  await expect(supervised.ready).rejects.toThrow(/ENOENT/);
});

test('when a process is stopped while it waits for its next attempt, then it is not started any more', async () => {
  const { process: supervised, said } = script('waiting', `console.log('no'); process.exit(1)`);
  await until(() => said().includes('no') && supervised.pid === undefined);
  await supervised.stop();
  const lines = said();
  await expect(supervised.ready).rejects.toThrow('waiting was stopped.');
  expect(said()).toBe(lines);
});

test('when a process starts, then it gets the port that was kept for it, and nothing of the environment but the basics', async () => {
  const port = await reserveFreePort();
  await expect(reserve(port.port)).rejects.toThrow(/EADDRINUSE/);
  const code = `require('net').createServer().listen(${port.port}, '127.0.0.1', () => console.log(JSON.stringify(process.env), 'up'))`;
  process.env.ACCESSOPS_TEST_SECRET = 'do-not-hand-down';
  const { process: supervised, said } = script('listens', code, { ports: [port], env: { GIVEN: 'yes' } });
  await supervised.ready;
  delete process.env.ACCESSOPS_TEST_SECRET;
  await supervised.stop();
  expect(said()).toContain('"GIVEN":"yes"');
  expect(said()).not.toContain('do-not-hand-down');
});

test('when ports are reserved side by side, then no two are the same and all are on loopback', async () => {
  const reserved = await Promise.all(Array.from({ length: 30 }, reserveFreePort));
  expect(new Set(reserved.map(({ port }) => port)).size).toBe(30);
  for (const { release } of reserved) await release();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(reserved[0]?.port, '127.0.0.1', resolve));
  await new Promise((resolve) => server.close(resolve));
});

test('when the supervisor itself is killed, then its processes are ended', async () => {
  const file = join(folder, 'supervisor.mjs');
  const code = `
    import { supervise } from ${JSON.stringify(join(import.meta.dirname, 'supervise.ts'))};
    const spec = { name: 'orphan', program: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'], answers: async () => true };
    const supervised = supervise(spec, { logFile: ${JSON.stringify(join(folder, 'orphan.log'))} });
    await supervised.ready;
    console.log(supervised.pid);
    setInterval(() => {}, 1000);`;
  writeFileSync(file, code);
  const supervisor = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(supervisor.stdout, 'data')) as [Buffer];
  const orphan = Number(line.toString());
  expect(startOf(orphan)).toBeDefined();
  supervisor.kill('SIGKILL');
  await until(() => startOf(orphan) === undefined);
});
