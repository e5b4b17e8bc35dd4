import { chownSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { postgresUrl, preparePostgres, reserveFreePort, supervise } from '@accessops/dev';

/** A PostgreSQL server of a test's own. */
export interface OwnPostgres {
  port: number;
  password: string;
  /** The superuser's address of a database there. */
  urlOf(database: string): string;
  stop(): Promise<void>;
}

/** Starts a server on a folder, which is made when it is not there. */
export const startOwnPostgres = async (directory: string, password: string, logFile: string): Promise<OwnPostgres> => {
  const port = await reserveFreePort();
  const running = supervise(await preparePostgres({ directory, port, password }), { logFile });
  await running.ready;
  return {
    port: port.port,
    password,
    urlOf: (database) => postgresUrl(port.port, 'postgres', password, database),
    stop: () => running.stop(),
  };
};

/** Gives a folder and all in it to whom another folder belongs. */
export const giveTo = (folder: string, likeFolder: string): void => {
  const { uid, gid } = statSync(likeFolder);
  const give = (path: string) => {
    chownSync(path, uid, gid);
    if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) give(join(path, name));
  };
  give(folder);
};
