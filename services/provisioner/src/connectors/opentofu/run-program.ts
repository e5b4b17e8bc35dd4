import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rm } from 'node:fs/promises';
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
  /** How its standard output began; whatever is of use is shorter. */
  stdout: string;
}

// Asked to stop, a run saves what it has made; whatever does not is killed.
const graceMs = 3000;

// Memory is short, and a program gone mad may say anything for as long as it has time.
const mostBytes = 16 * 2 ** 20;

const endGroup = (pid: number, signal: NodeJS.Signals) => {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
};

const notStarted = (cause: unknown): ConnectorError =>
  (cause as NodeJS.ErrnoException).code === 'ENOENT'
    ? new ConnectorError('failed', 'The program that runs modules is not installed', cause)
    : new ConnectorError('failed', 'The program that runs modules cannot be started', cause);

/**
 * Runs a program in a process group of its own, which ends with `signal`; resolves when it has ended. Its output goes into a file, not a
 * pipe: should this process die, a program that is in the middle of changing something can finish, and save what it knows.
 */
export const runProgram = async (program: string, args: readonly string[], { cwd, env, input, signal }: Run): Promise<Ran> => {
  signal.throwIfAborted();
  const path = join(cwd, '.output');
  const output = await open(path, 'w+', 0o600);
  let killing: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  try {
    const child = spawn(program, args, { cwd, env, detached: true, stdio: [input === undefined ? 'ignore' : 'pipe', output.fd, 'ignore'] });
    // It may end without having read it.
    child.stdin?.on('error', () => undefined).end(input);
    stop = () => {
      const { pid } = child;
      if (!pid) return;
      endGroup(pid, 'SIGINT');
      killing = setTimeout(() => endGroup(pid, 'SIGKILL'), graceMs);
    };
    signal.addEventListener('abort', stop, { once: true });
    const [code] = (await once(child, 'exit').catch((cause: unknown) => {
      throw notStarted(cause);
    })) as [number | null];
    // What it has started and left behind goes with it.
    if (child.pid) endGroup(child.pid, 'SIGKILL');
    const { buffer, bytesRead } = await output.read({ buffer: Buffer.alloc(Math.min((await output.stat()).size, mostBytes)), position: 0 });
    return { code, stdout: buffer.toString('utf8', 0, bytesRead) };
  } finally {
    clearTimeout(killing);
    if (stop) signal.removeEventListener('abort', stop);
    await output.close();
    await rm(path, { force: true });
  }
};
