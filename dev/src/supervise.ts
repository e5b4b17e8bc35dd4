import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReservedPort } from './ports.ts';
import { StartError } from './start-error.ts';
import { endWithUs, hasEnded } from './watchdog.ts';

/** A program to run, and how to tell that it answers. */
export interface ProcessSpec {
  name: string;
  program: string;
  args: string[];
  /** All of its environment but the few variables that every program needs. */
  env?: Record<string, string>;
  uid?: number;
  gid?: number;
  /** Ports of the process: kept for it until it is started. */
  ports?: ReservedPort[];
  stopSignal?: NodeJS.Signals;
  /** Ends the process and all of its children at once. */
  killSignal?: NodeJS.Signals;
  /** Asked again and again until it says yes; may throw, which means no. */
  answers(): Promise<boolean>;
}

export interface SuperviseOptions {
  logFile: string;
  onStart?: (pid: number) => void;
  onEnd?: () => void;
}

/** A process that is started again when it dies. */
export interface SupervisedProcess {
  readonly name: string;
  readonly pid: number | undefined;
  /** Settles when the process answers for the first time; rejects with a StartError when it cannot be brought up. */
  readonly ready: Promise<void>;
  /** Settles when the process has died so often in a row that it is not started again. */
  readonly givenUp: Promise<StartError>;
  kill(signal: NodeJS.Signals): void;
  /** Ends the process for good; answers when it is gone. */
  stop(): Promise<void>;
}

const restartDelaysMs = [50, 200, 500, 1000, 2000, 4000];
const deathsBeforeReady = 3;
const livedLongMs = 5000;
const stopWithinMs = 10_000;
const largeLogBytes = 20 * 1024 * 1024;
// sysexits(3), EX_CONFIG: the process says that another try is useless.
const configExitCode = 78;

const inherited = ['PATH', 'HOME', 'USER', 'TMPDIR', 'TZ', 'LANG', 'NODE_COMPILE_CACHE'];
const basicEnvironment = () => Object.fromEntries(inherited.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));

const openLog = (path: string): number => {
  try {
    if (statSync(path).size > largeLogBytes) renameSync(path, `${path}.1`);
  } catch {}
  return openSync(path, 'a');
};

/** Starts a process and keeps it running until `stop`; it gives up after a row of quick deaths. */
export const supervise = (spec: ProcessSpec, { logFile, onStart, onEnd }: SuperviseOptions): SupervisedProcess => {
  const { stopSignal = 'SIGTERM' } = spec;
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  let wasReady = false;
  let quickDeaths = 0;
  let giveUp: (error: StartError) => void = () => {};
  const givenUp = new Promise<StartError>((resolve) => {
    giveUp = resolve;
  });

  /** Runs the program once; answers how it ended. */
  const runOnce = async (): Promise<{ how: string; final: boolean }> => {
    for (const port of spec.ports ?? []) await port.release();
    if (stopping.signal.aborted) return { how: 'was stopped', final: true };
    const log = openLog(logFile);
    return new Promise((resolve) => {
      // In a session of its own: Ctrl-C in a terminal reaches only the platform, which stops all in order.
      const { program, args, uid, gid } = spec;
      const started = spawn(program, args, {
        uid,
        gid,
        env: { ...basicEnvironment(), ...spec.env },
        stdio: ['ignore', log, log],
        detached: true,
      });
      closeSync(log);
      started.once('error', (error) => resolve({ how: error.message, final: false }));
      const { pid } = started;
      if (pid === undefined) return;
      child = started;
      endWithUs(pid, stopSignal);
      onStart?.(pid);
      started.once('exit', (code, signal) => {
        hasEnded(pid);
        child = undefined;
        onEnd?.();
        resolve({ how: signal ? `ended by ${signal}` : `ended with exit code ${code}`, final: code === configExitCode });
      });
    });
  };

  const keepRunning = async () => {
    while (!stopping.signal.aborted) {
      const startedAt = Date.now();
      const { how, final } = await runOnce();
      if (stopping.signal.aborted) return;
      quickDeaths = Date.now() - startedAt > livedLongMs ? 1 : quickDeaths + 1;
      if (final || quickDeaths > (wasReady ? restartDelaysMs.length : deathsBeforeReady)) {
        const times = quickDeaths > 1 ? `, ${quickDeaths} times in a row` : '';
        giveUp(new StartError(`${spec.name} ${how}${times}; see ${relative(process.cwd(), logFile)}.`));
        return;
      }
      await delay(restartDelaysMs[quickDeaths - 1], undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const finished = keepRunning();

  const becomeReady = async () => {
    let error: StartError | undefined;
    void givenUp.then((reason) => {
      error = reason;
    });
    for (;;) {
      if (error) throw error;
      if (stopping.signal.aborted) throw new StartError(`${spec.name} was stopped.`);
      if (child && (await spec.answers().catch(() => false))) break;
      await delay(20);
    }
    wasReady = true;
  };
  const ready = becomeReady();
  ready.catch(() => undefined);

  const stop = async () => {
    stopping.abort();
    const ending = child;
    if (ending) {
      ending.kill(stopSignal);
      const timer = setTimeout(() => ending.kill(spec.killSignal ?? 'SIGKILL'), stopWithinMs);
      await finished;
      clearTimeout(timer);
    }
    await finished;
    for (const port of spec.ports ?? []) await port.release();
  };

  return {
    name: spec.name,
    get pid() {
      return child?.pid;
    },
    ready,
    givenUp,
    kill: (signal) => {
      child?.kill(signal);
    },
    stop,
  };
};
