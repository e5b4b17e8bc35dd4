import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { folderOf, reserveFreePort, type ServerEnvironments, type ServerName, type SupervisedProcess, supervise } from '@accessops/dev';
import { isServing } from '@accessops/grpc';
import { type Balancer, startBalancer } from '../../packages/testing/src/balancer.ts';

/** Several instances of one of our processes behind one address, as a Deployment of Kubernetes with a Service. */
export interface Deployment {
  name: ServerName;
  /** Replaces all instances one by one, as `maxSurge: 1, maxUnavailable: 0` has it. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

interface Instance {
  port: number;
  process: SupervisedProcess;
}

export interface DeploymentOptions {
  name: ServerName;
  instances: number;
  /** Port of the address that the others know. */
  port: number;
  environments: ServerEnvironments;
  logs: string;
}

// Kubernetes waits for five seconds, until all nodes have heard that the instance is to get nothing more; ours hear of it at once.
const preStopMs = 300;

const isReady = async (name: ServerName, port: number): Promise<boolean> => {
  if (name === 'gateway') return (await fetch(`http://127.0.0.1:${port}/readyz`, { headers: { connection: 'close' } })).ok;
  return isServing(`127.0.0.1:${port}`);
};

/** Starts a deployment; answers when all of its instances are ready. */
export const startDeployment = async ({ name, instances, port, environments, logs }: DeploymentOptions): Promise<Deployment> => {
  const balancer: Balancer = await startBalancer(port);
  let running: Instance[] = [];
  let started = 0;

  const start = async (): Promise<Instance> => {
    started += 1;
    const instance = `${name}-${started}`;
    const own = await reserveFreePort();
    const listensAt: Record<string, string> = name === 'gateway' ? { PORT: String(own.port) } : { LISTEN: `127.0.0.1:${own.port}` };
    const process = supervise(
      {
        name: instance,
        program: globalThis.process.execPath,
        args: [join(folderOf(name), 'main.ts')],
        env: { ...environments[name], ...listensAt },
        ports: [own],
        answers: () => isReady(name, own.port),
      },
      { logFile: join(logs, `${instance}.log`) },
    );
    await process.ready;
    balancer.add(own.port);
    return { port: own.port, process };
  };

  const end = async ({ port: gone, process }: Instance): Promise<void> => {
    balancer.remove(gone);
    await delay(preStopMs);
    await process.stop();
  };

  running = await Promise.all(Array.from({ length: instances }, start));
  return {
    name,
    restart: async () => {
      const ending: Promise<void>[] = [];
      for (const old of running) {
        const fresh = await start();
        ending.push(end(old));
        running = [...running.filter((instance) => instance !== old), fresh];
      }
      await Promise.all(ending);
    },
    close: async () => {
      await Promise.all(running.map(({ process }) => process.stop()));
      await balancer.close();
    },
  };
};
