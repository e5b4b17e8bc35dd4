import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Suite } from './suite.ts';

// What was compiled once need not be compiled by every process again.
const NODE_COMPILE_CACHE = join(tmpdir(), 'accessops-test-compiled');
const main = fileURLToPath(new URL('../main.ts', import.meta.url));

/** A provisioner in a process of its own, as in production; `flags` are for Node. */
export const spawnProvisioner = ({ environment }: Suite, flags: string[] = []): ChildProcess =>
  spawn(process.execPath, [...flags, main], { env: { ...environment, NODE_COMPILE_CACHE }, stdio: 'ignore' });

/** Kills a process and the programs that it runs, as when its machine is lost. */
export const killWithPrograms = (child: ChildProcess): void => {
  const { pid } = child;
  // It is to start no other while these are looked for.
  child.kill('SIGSTOP');
  const programs = execFileSync('sh', ['-c', `pgrep -P ${pid} || true`], { encoding: 'utf8' }).match(/\d+/g) ?? [];
  // Each has a group of its own.
  for (const target of [Number(pid), ...programs.map((program) => -Number(program))]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
};

/** Sends a signal and waits for the end; answers the exit code, null when the signal ended it. */
export const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> => {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill(signal);
  const [code] = (await ended) as [number | null];
  return code;
};
