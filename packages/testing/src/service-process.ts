import { join } from 'node:path';
import { accepts, folderOf, reserveFreePort, type Service, supervise } from '@accessops/dev';
import { infrastructure } from './infrastructure.ts';

/** A service in a process of its own. */
export interface ServiceProcess {
  /** host:port of its gRPC server. */
  address: string;
  close(): Promise<void>;
}

/**
 * Starts a service as it is started in production, for the tests of another one, which may not import it.
 * `environment` is what `serviceEnvironment` answers; the port is a free one.
 */
export const startServiceProcess = async (service: Service, environment: Record<string, string>): Promise<ServiceProcess> => {
  const port = await reserveFreePort();
  const address = `127.0.0.1:${port.port}`;
  const running = supervise(
    {
      name: service,
      program: process.execPath,
      args: [join(folderOf(service), 'main.ts')],
      env: { ...environment, LISTEN: address },
      ports: [port],
      answers: () => accepts(port.port),
    },
    { logFile: join(infrastructure().directory, `${service}-${port.port}.log`) },
  );
  await running.ready;
  return { address, close: () => running.stop() };
};
