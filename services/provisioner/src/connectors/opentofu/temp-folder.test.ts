import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { makeTempFolder, sweepTempFolders } from './temp-folder.ts';

const made: string[] = [];
const folder = (path: string): string => {
  mkdirSync(path, { recursive: true });
  made.push(path);
  return path;
};
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

// Where there is no /proc, only time tells.
test.runIf(existsSync('/proc/self/stat'))(
  'when a process has ended, then what it has left is removed, once no run is in it any more',
  async () => {
    const mine = folder(await makeTempFolder('module'));
    expect(mine).toContain(`-${process.pid}.`);
    // The same process number, another process.
    const earlier = folder(mine.replace(/\.(\d+)-/, '.1-'));
    const busy = folder(join(mine.replace(/\.(\d+)-(.*)$/, '.2-$2'), 'modules'));
    const others = folder(mkdtempSync(join(tmpdir(), 'accessops-module-')));
    const run = spawn('sleep', ['600'], { cwd: busy, stdio: 'ignore' });
    await once(run, 'spawn');
    await sweepTempFolders();
    expect([mine, earlier, busy, others].map((path) => existsSync(path))).toEqual([true, false, true, true]);
    run.kill('SIGKILL');
    await once(run, 'exit');
    await sweepTempFolders();
    expect([mine, busy].map((path) => existsSync(path))).toEqual([true, false]);
  },
);
