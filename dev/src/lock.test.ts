import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { holderOf, takeLock } from './lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'accessops-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('when a directory is taken, then nobody else gets it until it is given back', () => {
  const release = takeLock(folder);
  expect(holderOf(folder)?.pid).toBe(process.pid);
  expect(takeLock(folder)).toBeUndefined();
  release?.();
  expect(holderOf(folder)).toBeUndefined();
  expect(takeLock(folder)).toBeTypeOf('function');
});

test('when the holder was killed, then the directory can be taken', () => {
  writeFileSync(join(folder, 'platform.lock'), JSON.stringify({ pid: 2 ** 22 + 1, start: '1' }));
  expect(takeLock(folder)).toBeTypeOf('function');
});

test('when another process has got the pid of a killed holder, then the directory can be taken', () => {
  writeFileSync(join(folder, 'platform.lock'), JSON.stringify({ pid: process.pid, start: 'long ago' }));
  expect(holderOf(folder)).toBeUndefined();
  expect(takeLock(folder)).toBeTypeOf('function');
});

test('when the lock file is damaged, then the directory can be taken', () => {
  writeFileSync(join(folder, 'platform.lock'), '{"pid":');
  expect(takeLock(folder)).toBeTypeOf('function');
});
