import { mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

/** The folder where fetched programs are kept for all platforms of this user; made when missing. */
export const openCache = (): string => {
  const wanted = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'accessops');
  for (const folder of [wanted, join(tmpdir(), `accessops-cache-${process.getuid?.() ?? 0}`)]) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return folder;
    } catch {}
  }
  throw new StartError(`Nothing can be written to ${wanted}: please set XDG_CACHE_HOME to a folder of yours.`);
};
