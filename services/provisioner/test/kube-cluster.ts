import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { createServer as createTlsServer, type Server } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { findTestCluster } from '@accessops/dev';
import { until } from '@accessops/testing';
import {
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  loadAllYaml,
  RbacAuthorizationV1Api,
} from '@kubernetes/client-node';
import sshpk from 'sshpk';

const manifest = fileURLToPath(new URL('../../../deploy/targets/kubernetes.yaml', import.meta.url));

/** A real cluster, prepared as docs/connectors.md says. */
export interface KubeCluster {
  /** The API server in the clear, so that a fault proxy can read what is said. */
  port: number;
  /** The https address and its certificate of what goes on to a port here in the clear. */
  secure(port: number): { URL: string; CA: string };
  core: CoreV1Api;
  rbac: RbacAuthorizationV1Api;
  /** Token of the account that AccessOps has. */
  token: string;
  makeNamespace(name: string): Promise<void>;
  /** Asks the API server with a token; answers the status. */
  as(token: unknown, method: string, path: string, body?: object): Promise<number>;
  close(): Promise<void>;
}

/** Takes TLS off whatever comes. */
const openTls = () => {
  const key = sshpk.generatePrivateKey('ecdsa');
  const certificate = sshpk.createSelfSignedCertificate(sshpk.identityForHost('localhost'), key).toString('pem');
  const servers: Server[] = [];
  return {
    certificate,
    listen: (to: number): number => {
      const server = createTlsServer({ key: key.toString('pem'), cert: certificate }, (client) => {
        const upstream = connect(to, '127.0.0.1');
        client.on('error', () => undefined).on('close', () => upstream.destroy());
        upstream.on('error', () => undefined).on('close', () => client.destroy());
        client.pipe(upstream).pipe(client);
      });
      servers.push(server.listen(0));
      return (server.address() as AddressInfo).port;
    },
    close: () => {
      for (const server of servers) server.close();
    },
  };
};

const unlessThere = async (made: Promise<unknown>): Promise<void> => {
  await made.catch((error: { code?: number }) => {
    if (error.code !== 409) throw error;
  });
};

const startWith = async (file: string): Promise<KubeCluster> => {
  const config = new KubeConfig();
  config.loadFromFile(file);
  const { server, caData } = config.getCurrentCluster() ?? {};
  const ca = Buffer.from(caData ?? '', 'base64');
  const proxy = createServer((incoming, outgoing) => {
    // Its own name would be looked for in the certificate.
    const { host: _, ...headers } = incoming.headers;
    const upstream = request(new URL(incoming.url ?? '/', server), { method: incoming.method, headers, ca }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;

  const tls = openTls();

  const objects = KubernetesObjectApi.makeApiClient(config);
  for (const object of loadAllYaml(readFileSync(manifest, 'utf8')) as KubernetesObject[]) await unlessThere(objects.create(object));
  const core = config.makeApiClient(CoreV1Api);
  const body = { spec: { audiences: [], expirationSeconds: 3600 } };
  const { status } = await core.createNamespacedServiceAccountToken({ name: 'hands', namespace: 'accessops', body });

  const as: KubeCluster['as'] = async (token, method, path, content) => {
    const headers = { authorization: `Bearer ${String(token)}`, 'content-type': 'application/json' };
    return (await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body: content && JSON.stringify(content) })).status;
  };
  // The API server hears of roles and bindings a moment later.
  for (const path of ['/api/v1/namespaces/accessops/serviceaccounts', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings'])
    await until(async () => (await as(status?.token, 'GET', path)) === 200, { timeoutMs: 60_000, what: 'an account that may work' });

  return {
    port,
    secure: (to) => ({ URL: `https://localhost:${tls.listen(to)}`, CA: tls.certificate }),
    core,
    rbac: config.makeApiClient(RbacAuthorizationV1Api),
    token: status?.token ?? '',
    makeNamespace: (name) => unlessThere(core.createNamespace({ body: { metadata: { name } } })),
    as,
    close: async () => {
      tls.close();
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
};

/** A cluster; undefined when there is none for tests. */
export const openKubeCluster = async (): Promise<KubeCluster | undefined> => {
  const file = findTestCluster((line) => process.stderr.write(`${line}\n`));
  return file === undefined ? undefined : startWith(file);
};
