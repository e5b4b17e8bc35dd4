import type { Secrets } from '@accessops/dev';
import { inject } from 'vitest';

/** The real servers that a test run shares. */
export interface Infrastructure {
  /** The superuser's address of the database `postgres`. */
  adminUrl: string;
  /** A NATS login that may do everything, and patience. */
  nats: { url: string; user: string; password: string; timeoutMs: number };
  /** host:port of the Cerbos PDP, which serves the policies of the repository. */
  cerbosAddress: string;
  /** A folder for files of the run; removed at its end. */
  directory: string;
  /** Keys of the run, in files as the processes read them. */
  keyFiles: Secrets['files'];
}

declare module 'vitest' {
  interface ProvidedContext {
    infrastructure: Infrastructure;
  }
}

/** The servers of this test run. */
export const infrastructure = (): Infrastructure => inject('infrastructure');
