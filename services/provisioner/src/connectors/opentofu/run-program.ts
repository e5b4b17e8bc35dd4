import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConnectorError } from '../../connector.ts';

export interface Run {
  cwd: string;
  env: Record<string, string>;
  /** Handed over on standard input; without it there is none. */
  input?: string;
  signal: AbortSignal;
}

export interface Ran {
  /** Null when it was ended from outside. */
  code: number | null;
  stdout: string;
  stderr: string;
}

// Asked to stop, a run saves what it has made; whatever does not is killed.
const graceMs = 3000;

const endGroup = (pid: number, signal: NodeJS.Signals) => {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
};

/**
 * Runs a program in a process group of its own, which ends with `signal`; resolves when it has ended. Its output goes into files, not
 * pipes: should this process die, a program that is in the middle of changing something can finish, and save what it knows.
 */
export const runProgram = async (program: string, args: readonly string[], { cwd, env, input, signal }: Run): Promise<Ran> => {
  signal.throwIfAborted();
  const folder = await mkdtemp(join(cwd, '.output-'));
  const files = await Promise.all(['stdout', 'stderr'].map((name) => open(join(folder, name), 'w', 0o600)));
  const [stdout, stderr] = files.map(({ fd }) => fd);
  let killing: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  try {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: [input === undefined ? 'ignore' : 'pipe', stdout, stderr] });
    // It may end without having read it.
    child.stdin?.on('error', () => undefined).end(input);
    stop = () => {
      const { pid } = child;
      if (!pid) return;
      endGroup(pid, 'SIGINT');
      killing = setTimeout(() => endGroup(pid, 'SIGKILL'), graceMs);
    };
    signal.addEventListener('abort', stop, { once: true });
    const [code] = (await once(child, 'exit')) as [number | null];
    // What it has started and left behind goes with it.
    if (child.pid) endGroup(child.pid, 'SIGKILL');
    return {
      code,
      stdout: await readFile(join(folder, 'stdout'), 'utf8'),
      stderr: await readFile(join(folder, 'stderr'), 'utf8'),
    };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
      throw new ConnectorError('failed', 'The program that runs modules is not installed', cause);
    throw cause;
  } finally {
    clearTimeout(killing);
    if (stop) signal.removeEventListener('abort', stop);
    await Promise.all(files.map((file) => file.close()));
    await rm(folder, { recursive: true, force: true });
  }
};
