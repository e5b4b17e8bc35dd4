import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { accepts } from './accepts.ts';
import type { ReservedPort } from './ports.ts';
import type { ServerCertificate } from './server-certificate.ts';
import { StartError } from './start-error.ts';
import type { ProcessSpec } from './supervise.ts';

export interface CerbosOptions {
  /** Folder of the policies. */
  policies: string;
  configFile: string;
  grpcPort: ReservedPort;
  httpPort: ReservedPort;
  /** Of the user `platform` of its admin API, which tells when to load the policies again; without one it watches the folder. */
  adminPassword?: string;
  /** Files by which it serves by TLS; certificates of other CAs are refused. */
  tls?: ServerCertificate;
}

/** The native program inside the npm package: the package's own wrapper swallows signals. */
export const findCerbos = (): string => {
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('cerbos'));
    return require.resolve(`@cerbos/cerbos-${process.platform}-${process.arch}`);
  } catch {
    throw new StartError(`There is no Cerbos for ${process.platform}-${process.arch}; AccessOps runs on Linux and macOS.`);
  }
};

const adminApi = (password: string) => ({
  enabled: true,
  adminCredentials: { username: 'platform', passwordHash: Buffer.from(hashSync(password, 8)).toString('base64') },
});

/** A real Cerbos PDP with the policies of the repository, on loopback only. */
export const prepareCerbos = ({ policies, configFile, grpcPort, httpPort, adminPassword, tls }: CerbosOptions): ProcessSpec => {
  if (!existsSync(policies)) throw new StartError(`The policies are missing: there is no folder ${policies}.`);
  mkdirSync(join(configFile, '..'), { recursive: true });
  const config = {
    server: {
      grpcListenAddr: `127.0.0.1:${grpcPort.port}`,
      httpListenAddr: `127.0.0.1:${httpPort.port}`,
      ...(adminPassword && { adminAPI: adminApi(adminPassword) }),
      ...(tls && { tls: { cert: tls.cert, key: tls.key, caCert: tls.ca } }),
    },
    storage: { driver: 'disk', disk: { directory: policies, watchForChanges: adminPassword === undefined } },
    telemetry: { disabled: true },
    audit: { enabled: false },
  };
  // Cerbos reads YAML, of which JSON is a part.
  writeFileSync(configFile, JSON.stringify(config, undefined, 2), { mode: 0o600 });
  return {
    name: 'cerbos',
    program: findCerbos(),
    args: ['server', `--config=${configFile}`, '--log-level=warn'],
    env: { CERBOS_NO_TELEMETRY: '1' },
    ports: [grpcPort, httpPort],
    answers: async () =>
      tls
        ? accepts(grpcPort.port)
        : (await fetch(`http://127.0.0.1:${httpPort.port}/_cerbos/health`, { signal: AbortSignal.timeout(1000) })).ok,
  };
};
