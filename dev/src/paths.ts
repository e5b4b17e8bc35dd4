import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Top of the repository. */
export const root = resolve(fileURLToPath(import.meta.url), '../../..');

/** Where one platform keeps what it makes. */
export interface DataPaths {
  /** The directory itself. */
  directory: string;
  /** Databases and streams. */
  data: string;
  logs: string;
  /** What would have been sent to people, when there is no mail server. */
  mail: string;
  /** Reports, unless a bucket is named for them. */
  files: string;
  /** Pid files and configuration files of what runs. */
  run: string;
  secrets: string;
}

/** The folders under a data directory; makes them, the secrets only for their owner. */
export const openDataPaths = (dataDir: string): DataPaths => {
  const directory = resolve(dataDir);
  const paths = {
    directory,
    data: join(directory, 'data'),
    logs: join(directory, 'logs'),
    mail: join(directory, 'mail'),
    files: join(directory, 'files'),
    run: join(directory, 'run'),
    secrets: join(directory, 'secrets'),
  };
  for (const path of [paths.data, paths.logs]) mkdirSync(path, { recursive: true });
  for (const path of [paths.run, paths.secrets, paths.mail, paths.files]) mkdirSync(path, { recursive: true, mode: 0o700 });
  return paths;
};
