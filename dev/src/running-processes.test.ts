import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunningProcesses } from './running-processes.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'accessops-run-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sleeper = (code = '') =>
  spawn(process.execPath, ['-e', `${code}; console.log('up'); setInterval(() => {}, 1000)`], { stdio: ['ignore', 'pipe', 'ignore'] });

test('when an earlier platform left processes running, then they are ended, the stubborn ones too', async () => {
  const children = [sleeper(), sleeper(`process.on('SIGTERM', () => {})`)];
  const ended = children.map((child) => once(child, 'exit'));
  await Promise.all(children.map((child) => once(child.stdout, 'data')));
  const running = new RunningProcesses(folder, 500);
  for (const [index, child] of children.entries()) running.record(`part${index}`, child.pid ?? 0);
  expect(readFileSync(join(folder, 'part0.pid'), 'utf8')).toBe(`${children[0]?.pid}\n`);
  expect((await running.endAll()).toSorted()).toEqual(['part0', 'part1']);
  await Promise.all(ended);
  expect(readdirSync(folder)).toEqual([]);
});

test('when a pid file is left of a process that is gone, and another one has the pid now, then that one is left alone', async () => {
  const running = new RunningProcesses(folder);
  writeFileSync(join(folder, 'gateway.pid'), `${process.pid}\n`);
  writeFileSync(join(folder, 'gateway.start'), 'long ago');
  expect(running.find('gateway')).toBeUndefined();
  expect(await running.endAll()).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});
