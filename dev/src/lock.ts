import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOf } from './process-identity.ts';

/** The process that has a data directory for itself. */
export interface Holder {
  pid: number;
  /** As `startOf` tells it, against a later process with the same pid. */
  start: string;
}

const fileOf = (dataDir: string) => join(dataDir, 'platform.lock');

const read = (path: string): Holder | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
};

const isAlive = (holder: Holder | undefined): holder is Holder => holder !== undefined && startOf(holder.pid) === holder.start;

/** The running process that has a data directory, if any. */
export const holderOf = (dataDir: string): Holder | undefined => {
  const holder = read(fileOf(dataDir));
  return isAlive(holder) ? holder : undefined;
};

/** Takes a data directory for this process: answers what gives it back, or nothing when somebody else has it. */
export const takeLock = (dataDir: string): (() => void) | undefined => {
  const path = fileOf(dataDir);
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, start: startOf(process.pid) ?? '' }));
  try {
    for (;;) {
      try {
        // Made elsewhere and linked: the file appears with its content, and only where there is none.
        linkSync(mine, path);
        return () => rmSync(path, { force: true });
      } catch {
        if (holderOf(dataDir)) return undefined;
      }
      // Left behind by a crash. Whoever renames it first removes it; it may be a fresh one by now, which goes back.
      const stale = `${mine}.stale`;
      try {
        renameSync(path, stale);
        if (isAlive(read(stale))) linkSync(stale, path);
      } catch {}
      rmSync(stale, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
};
