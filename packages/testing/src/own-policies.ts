import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { policyNews, preparePolicyServer, reserveFreePort, root, supervise } from '@accessops/dev';
import { infrastructure } from './infrastructure.ts';

/** A Cerbos of a test's own with a copy of the repository's policies, which the test may change. */
export interface OwnPolicies {
  /** host:port */
  address: string;
  /** Rewrites one file of the copy: `user.yaml`. */
  edit(file: string, change: (text: string) => string): void;
  /** Serves the copy as it is now, and tells everybody in the namespace; throws when it is refused. */
  reload(): Promise<string>;
  close(): Promise<void>;
}

/** Starts one for the processes of a namespace. */
export const startOwnPolicies = async (namespace: string): Promise<OwnPolicies> => {
  const { directory, nats } = infrastructure();
  const own = mkdtempSync(join(directory, 'policies-'));
  const source = join(own, 'source');
  cpSync(join(root, 'policies'), source, { recursive: true });
  const [grpcPort, httpPort] = [await reserveFreePort(), await reserveFreePort()];
  const server = preparePolicyServer({
    source,
    directory: join(own, 'bundles'),
    configFile: join(own, 'cerbos.yaml'),
    grpcPort,
    httpPort,
    news: policyNews(nats, namespace),
  });
  const running = supervise(server.spec, { logFile: join(own, 'cerbos.log') });
  await running.ready;
  return {
    address: `127.0.0.1:${grpcPort.port}`,
    edit: (file, change) => writeFileSync(join(source, file), change(readFileSync(join(source, file), 'utf8'))),
    reload: server.reload,
    close: async () => {
      await running.stop();
      rmSync(own, { recursive: true, force: true });
    },
  };
};
