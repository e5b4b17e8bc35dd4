import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepts } from './accepts.ts';
import type { ReservedPort } from './ports.ts';
import { folderOf, type ServerName, servers } from './process-environments.ts';
import type { ProcessSpec } from './supervise.ts';

export interface ServerProcessesOptions {
  environments: Record<ServerName, Record<string, string>>;
  ports: Record<ServerName, ReservedPort>;
}

/** MiB of the young generation: each process stays below 150 MiB at rest; the gateway, which every call passes, has room for more. */
const youngGeneration = (name?: ServerName) => `--max-semi-space-size=${name === 'gateway' ? 8 : 4}`;

// glibc keeps a pool of memory per thread; two are enough for what Node's threads do, and give back more.
const allocator = { MALLOC_ARENA_MAX: '2' };

/** The services and the gateway, each a process of its own. */
export const serverProcesses = ({ environments, ports }: ServerProcessesOptions): ProcessSpec[] =>
  servers.map((name) => ({
    name,
    program: process.execPath,
    args: [youngGeneration(name), join(folderOf(name), 'main.ts')],
    env: { ...allocator, ...environments[name] },
    ports: [ports[name]],
    answers: () => accepts(ports[name].port),
  }));

/** The services and the gateway in one process; its environments come in a file, since they differ. */
export const singleProcess = ({ environments, ports }: ServerProcessesOptions, configFile: string): ProcessSpec[] => {
  writeFileSync(configFile, JSON.stringify(environments), { mode: 0o600 });
  return [
    {
      name: 'accessops',
      program: process.execPath,
      args: [youngGeneration(), join(import.meta.dirname, 'single-process.ts'), configFile],
      ports: servers.map((name) => ports[name]),
      answers: () => accepts(ports.gateway.port),
    },
  ];
};
