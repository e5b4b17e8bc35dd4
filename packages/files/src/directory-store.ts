import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type FileKey, pathOf } from './file-key.ts';
import type { FileStore } from './file-store.ts';

const isMissing = (error: unknown): boolean => (error as { code?: string }).code === 'ENOENT';

/** Keeps files in a folder, for their owner only. */
export const createDirectoryStore = (directory: string): FileStore => {
  const at = (key: FileKey) => join(directory, pathOf(key));
  return {
    put: async (key, content, signal) => {
      const path = at(key);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      // Renamed into place: nobody reads half a file. No name of a file begins with a dot.
      const part = join(dirname(path), `.${randomUUID()}.part`);
      try {
        // On the disk before it has its name: a crash leaves none that is empty.
        const file = createWriteStream(part, { mode: 0o600, flush: true });
        await pipeline(Readable.from(content, { objectMode: false }), file, { signal });
        await rename(part, path);
        return file.bytesWritten;
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
    open: async (key) => {
      try {
        const file = await open(at(key));
        return file.createReadStream();
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    remove: async (key) => rm(at(key), { force: true }),
    close: () => {},
  };
};
