import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'run-process-'));
});
afterAll(() => rm(directory, { recursive: true }));

const module = new URL('../src/index.ts', import.meta.url).href;

/** Runs `start` as a process of its own; `signal` is sent when it has written "ready". */
const run = async (start: string, ...signals: NodeJS.Signals[]) => {
  const file = join(directory, `${Math.random().toString(36).slice(2)}.ts`);
  await writeFile(file, `import { ConfigError, runProcess } from ${JSON.stringify(module)};\nrunProcess(${start});`);
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { text: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.text += chunk.toString();
    if (chunk.toString().includes('ready')) for (const signal of signals) child.kill(signal);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.text += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text: output.text };
};

const running = `async () => { const alive = setInterval(() => {}, 1000); setTimeout(() => console.log('ready'), 0);
  return { close: async () => { clearInterval(alive); console.log('closed'); } }; }`;

test.each(['SIGTERM', 'SIGINT'] as const)('when %s comes, then what runs is closed once and the process ends well', async (signal) => {
  const { code, text } = await run(running, signal, signal);
  expect(code).toBe(0);
  expect(text.match(/closed/g)).toHaveLength(1);
});

test('when the configuration cannot be used, then it says so without a stack and ends with 78', async () => {
  const { code, text } = await run(`async () => { throw new ConfigError('PORT: must be a number'); }`);
  expect(code).toBe(78);
  expect(text.trim()).toBe('PORT: must be a number');
});

test('when it cannot start, then it ends with 1 and tells where', async () => {
  const { code, text } = await run(`async () => { throw new Error('address in use'); }`);
  expect(code).toBe(1);
  expect(text).toMatch(/address in use[\s\S]*at /);
});

test('when it cannot stop cleanly, then it ends with 1', async () => {
  const { code, text } = await run(
    `async () => { setInterval(() => {}, 1000); setTimeout(() => console.log('ready'), 0); return { close: () => Promise.reject(new Error('stuck')) }; }`,
    'SIGTERM',
  );
  expect(code).toBe(1);
  expect(text).toContain('stuck');
});
