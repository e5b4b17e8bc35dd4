import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { root } from './paths.ts';

/** Runs a program in the foreground, as if it had been called itself; answers its exit code. */
export const passThrough = (program: string, args: string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
