import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runProcess } from '@accessops/telemetry';
import { folderOf, type ServerName, servers } from './process-environments.ts';

interface Running {
  close(): Promise<void>;
}

const environments = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Record<ServerName, Record<string, string>>;

/** Starts one of our processes inside this one. */
const startServer = async (name: ServerName): Promise<Running> => {
  const load = (file: string) => import(pathToFileURL(join(folderOf(name), 'src', file)).href);
  const [{ configFrom }, app] = await Promise.all([load('config.ts'), load('app.ts')]);
  const start = `start${name[0]?.toUpperCase()}${name.slice(1)}`;
  return app[start](configFrom(environments[name]));
};

runProcess(async () => {
  const running = await Promise.all(servers.map(startServer));
  return {
    close: async () => {
      // The gateway first: it is the last of the servers.
      for (const server of running.toReversed()) await server.close();
    },
  };
});
