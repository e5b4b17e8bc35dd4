import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startOf } from './process-identity.ts';

/**
 * The pid files of one platform. Beside each `<name>.pid` stands `<name>.start`, so that a file left behind by a
 * crash is not taken for a process that got the same pid later.
 */
export class RunningProcesses {
  readonly #directory: string;
  readonly #endWithinMs: number;

  /** @param endWithinMs how long a process may take to end before it is killed */
  constructor(directory: string, endWithinMs = 10_000) {
    this.#directory = directory;
    this.#endWithinMs = endWithinMs;
  }

  record(name: string, pid: number): void {
    this.#write(`${name}.start`, startOf(pid) ?? '');
    this.#write(`${name}.pid`, `${pid}\n`);
  }

  forget(name: string): void {
    for (const suffix of ['pid', 'start']) rmSync(join(this.#directory, `${name}.${suffix}`), { force: true });
  }

  /** The pid of a recorded process that still runs. */
  find(name: string): number | undefined {
    const pid = Number(this.#read(`${name}.pid`));
    const started = this.#read(`${name}.start`);
    return pid > 0 && started !== '' && startOf(pid) === started ? pid : undefined;
  }

  /** Ends what an earlier platform left running, and removes its files. */
  async endAll(): Promise<string[]> {
    const names = readdirSync(this.#directory)
      .filter((file) => file.endsWith('.pid'))
      .map((file) => file.slice(0, -4));
    const running = names.filter((name) => this.find(name));
    await Promise.all(running.map((name) => this.#end(name)));
    for (const name of names) this.forget(name);
    return running;
  }

  async #end(name: string): Promise<void> {
    const signals: NodeJS.Signals[] = [name === 'postgres' ? 'SIGINT' : 'SIGTERM', 'SIGKILL'];
    for (const signal of signals) {
      const pid = this.find(name);
      if (!pid) return;
      process.kill(pid, signal);
      for (const deadline = Date.now() + this.#endWithinMs; this.find(name) && Date.now() < deadline; ) await delay(20);
    }
  }

  #write(file: string, content: string) {
    const path = join(this.#directory, file);
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
  }

  #read(file: string): string {
    try {
      return readFileSync(join(this.#directory, file), 'utf8').trim();
    } catch {
      return '';
    }
  }
}
