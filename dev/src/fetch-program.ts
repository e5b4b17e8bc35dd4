import { chmodSync, copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openCache } from './cache-folder.ts';
import { isProgram } from './find-program.ts';

/** Where a program may come from. */
export interface Source {
  name: string;
  /** Whether this machine has what the source needs. */
  isUsable(): boolean;
  /** Puts the program at `target`, using `scratch` for what it needs on the way; answers whether that worked. */
  fetch(target: string, scratch: string, signal?: AbortSignal): Promise<boolean>;
}

/** Puts a program that was found in its place; false when there is none. */
export const takeProgram = (found: string, target: string): boolean => {
  if (!isProgram(found)) return false;
  // Copied beside its place and renamed: another platform that looks meanwhile sees all of it or nothing.
  const part = `${target}.${process.pid}`;
  copyFileSync(found, part);
  chmodSync(part, 0o755);
  renameSync(part, target);
  return true;
};

/**
 * The path of a program that was fetched earlier, or is fetched now from the first source that works; undefined when none does.
 * Throws a StartError when there is no place for it.
 */
export const fetchProgram = async (
  name: string,
  sources: readonly Source[],
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<string | undefined> => {
  const cache = openCache();
  const target = join(cache, `${name}-${process.platform}-${process.arch}`);
  if (isProgram(target)) return target;
  for (const source of sources.filter((candidate) => candidate.isUsable())) {
    signal?.throwIfAborted();
    progress(`Getting ${name} from ${source.name} …`);
    const scratch = mkdtempSync(join(cache, 'part-'));
    try {
      if (await source.fetch(target, scratch, signal)) return target;
    } catch {
      // Not to be had from here; the next source may work.
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  return undefined;
};
