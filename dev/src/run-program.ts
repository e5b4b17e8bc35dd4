import { spawn } from 'node:child_process';

export interface RunOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  timeoutMs?: number;
  signal?: AbortSignal;
  uid?: number;
  gid?: number;
  /** What the program reads on standard input; when it fails, the input just ends. */
  input?: Promise<string>;
}

export interface Ended {
  /** 0 for success; 127 when the program could not be started. */
  code: number;
  /** What it wrote to standard output and standard error, in the order of arrival. */
  output: string;
}

// What ends programs that still run; one listener for all of them.
const killers = new Set<() => void>();
process.once('exit', () => {
  for (const kill of killers) kill();
});

/** Runs a program to its end and keeps what it says. */
export const runProgram = (
  program: string,
  args: string[],
  { env, cwd, timeoutMs, signal, uid, gid, input }: RunOptions = {},
): Promise<Ended> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const child = spawn(program, args, {
      cwd,
      uid,
      gid,
      env: { ...process.env, ...env },
      // With its own children it can be ended as one.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // It may end before it has read everything.
    child.stdin.on('error', () => undefined);
    Promise.resolve(input ?? '').then(
      (content) => child.stdin.end(content),
      () => child.stdin.end(),
    );
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const kill = () => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {}
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(kill, timeoutMs);
    if (signal?.aborted) kill();
    signal?.addEventListener('abort', kill);
    killers.add(kill);
    const end = (ended: Ended) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', kill);
      killers.delete(kill);
      resolve(ended);
    };
    child.once('error', (error) => end({ code: 127, output: error.message }));
    child.once('close', (code) => end({ code: code ?? 137, output: Buffer.concat(chunks).toString() }));
  });
