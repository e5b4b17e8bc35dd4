import { join } from 'node:path';
import { RunningProcesses } from './running-processes.ts';
import type { StartError } from './start-error.ts';
import { type ProcessSpec, type SupervisedProcess, supervise } from './supervise.ts';

export interface ProcessGroupOptions {
  logs: string;
  /** Folder of the pid files. */
  run: string;
}

/** Processes that belong together: started in stages, stopped stage by stage the other way round. */
export class ProcessGroup {
  /** Settles when one of them died and could not be brought back. */
  readonly failed: Promise<StartError>;
  readonly #options: ProcessGroupOptions;
  readonly #running: RunningProcesses;
  readonly #stages: SupervisedProcess[][] = [];
  readonly #stopping = new AbortController();
  #fail: (error: StartError) => void = () => {};

  constructor(options: ProcessGroupOptions) {
    this.#options = options;
    this.#running = new RunningProcesses(options.run);
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /** Aborted as soon as the group begins to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Ends what an earlier group with the same pid files left running. */
  endLeftovers(): Promise<string[]> {
    return this.#running.endAll();
  }

  /** Starts a process in a stage; answers when it answers. */
  launch(spec: ProcessSpec, stage: number): Promise<void> {
    this.stopping.throwIfAborted();
    const supervised = supervise(spec, {
      logFile: join(this.#options.logs, `${spec.name}.log`),
      onStart: (pid) => this.#running.record(spec.name, pid),
      onEnd: () => this.#running.forget(spec.name),
    });
    (this.#stages[stage] ??= []).push(supervised);
    void supervised.givenUp.then(this.#fail);
    return supervised.ready;
  }

  pids(): Record<string, number> {
    return Object.fromEntries(this.#stages.flat().flatMap(({ name, pid }) => (pid ? [[name, pid]] : [])));
  }

  kill(name: string, signal: NodeJS.Signals): void {
    this.#stages
      .flat()
      .find((process) => process.name === name)
      ?.kill(signal);
  }

  /** Stops all for good; nothing can be started afterwards. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const stage of this.#stages.toReversed()) await Promise.all((stage ?? []).map((process) => process.stop()));
  }
}
