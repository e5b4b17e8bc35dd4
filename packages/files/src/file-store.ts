import { createDirectoryStore } from './directory-store.ts';
import type { FileKey } from './file-key.ts';
import type { FileStoreConfig } from './file-store-config.ts';

/** Keeps files of tenants: whole ones, each under its own name. */
export interface FileStore {
  /** Keeps all that comes, in place of what was there, or nothing of it; answers how many bytes. Never holds a whole file in memory. */
  put(key: FileKey, content: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number>;
  /** The file, piece by piece; undefined when there is none. */
  open(key: FileKey): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Removes the file; none to remove is no error. */
  remove(key: FileKey): Promise<void>;
  close(): void;
}

/** The store that is configured. */
export const createFileStore = async (config: FileStoreConfig): Promise<FileStore> =>
  // The SDK is loaded by those who have such a store.
  'directory' in config ? createDirectoryStore(config.directory) : (await import('./s3-store.ts')).createS3Store(config);
