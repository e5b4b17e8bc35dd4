import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { services } from '@accessops/events/topology';
import { callers } from '@accessops/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../dev/src/dev-ca.ts';
import { findNatsServer } from '../../dev/src/nats-server.ts';
import { type NetworkPolicy, openEdges, type Pod } from '../src/edges.ts';
import { TrialSecrets } from '../src/given.ts';
import { isThere } from './is-there.ts';
import { type Container, kustomizeWith, type Manifest, manifestsIn, manifestsOf, root, workloadsOf } from './kustomize.ts';

interface Pods {
  containers: (Container & { args?: string[] })[];
  initContainers?: Container[];
  volumes?: { name: string; secret?: { secretName: string } }[];
}

interface Certificate {
  kind: string;
  metadata: { name: string };
  spec: { secretName: string; commonName: string; dnsNames: string[] };
}

const processes = ['gateway', ...services] as const;
const secrets = new TrialSecrets();
afterAll(() => secrets.remove());

const edgesOf = (manifests: Manifest[]): string[] => {
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as NetworkPolicy[];
  const pods: Pod[] = workloadsOf(manifests).map(({ metadata, spec }) => ({
    name: metadata.name,
    labels: spec.template.metadata.labels,
    ports: spec.template.spec.containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort)),
  }));
  return openEdges(policies, pods);
};

describe.runIf(isThere('kubectl'))('production with the component mtls', () => {
  const manifests = manifestsIn(kustomizeWith('overlays/production', 'monitoring', 'mtls'));
  const podsOf = (name: string): Pods => {
    const found = workloadsOf(manifests).find(({ metadata }) => metadata.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found.spec.template.spec;
  };
  const certificates = (manifests as unknown as Certificate[]).filter(({ kind }) => kind === 'Certificate');
  const platform = (manifests as unknown as { kind: string; metadata: { name: string }; data: Record<string, string> }[]).find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('platform'),
  );

  beforeAll(() => makeCertificates(join(secrets.folder, 'certificates')));

  it('when the public host has a certificate, then it is not one of these', () => {
    const ingress = manifests.find(({ kind }) => kind === 'Ingress') as unknown as { spec: { tls: { secretName: string }[] } };
    const shown = ingress.spec.tls.map(({ secretName }) => secretName);
    expect(shown).toHaveLength(1);
    expect(certificates.map(({ spec }) => spec.secretName)).not.toContain(shown[0]);
  });

  it.each([...processes, 'migrate', 'nats', 'cerbos'])(
    'when %s is applied, then it has a certificate that says so, and no other',
    (name) => {
      const [certificate, ...others] = certificates.filter(({ spec }) => spec.commonName === name);
      expect(others).toEqual([]);
      expect(certificate?.spec.dnsNames).toContain(name);
      const mounted = podsOf(name).volumes?.flatMap(({ name: volume, secret }) => (volume === 'tls' && secret ? [secret.secretName] : []));
      expect(mounted).toEqual([certificate?.spec.secretName]);
    },
  );

  it.each(processes)('when %s starts, then what it is told about certificates is accepted', (name) => {
    const { env = [], volumeMounts = [] } = podsOf(name).containers[0] ?? {};
    expect(volumeMounts.find((mount) => mount.name === 'tls')?.mountPath).toBe('/run/tls');
    const here = (value: string) => value.replace('/run/tls/', `${join(secrets.folder, 'certificates', name)}/`);
    const environment = {
      ...platform?.data,
      ...Object.fromEntries(env.map(({ name: variable, value }) => [variable, here(value ?? name)])),
    };
    const configured = secrets.configure(name, { environment, mounts: { '/run/secrets': name } });
    expect(configured.tls?.name).toBe(name);
    expect(configured.nats.url).toBe('tls://nats:4222');
    expect(configured.cerbosAddress).toBe('tls://cerbos:3593');
  });

  it.each(services)('when %s waits for its schema and is asked for its health, then that works by TLS as well', (name) => {
    const { containers, initContainers = [] } = podsOf(name);
    expect(initContainers[0]?.env?.map((variable) => variable.name)).toContain('TLS_CERT_FILE');
    for (const probe of [containers[0]?.startupProbe, containers[0]?.readinessProbe])
      expect(probe).toHaveProperty('httpGet.path', '/readyz');
  });

  it('when a certificate is asked for, then the callers that it lets in are the edges of the picture', () => {
    const edges = edgesOf(manifests);
    expect(edges).toEqual(edgesOf(manifestsOf('overlays/production')));
    const allowed = services.flatMap((service) => callers[service].map((caller) => `${caller} → ${service}:9090`));
    expect(allowed.toSorted()).toEqual(edges.filter((edge) => edge.endsWith(':9090')));
  });

  it('when NATS reads its configuration, then it takes it', async () => {
    const folder = join(secrets.folder, 'nats-check');
    mkdirSync(join(folder, 'nats'), { recursive: true });
    mkdirSync(join(folder, 'nats-secrets'));
    writeFileSync(join(folder, 'nats-secrets/passwords.conf'), secrets.files.nats['passwords.conf'] ?? '');
    cpSync(join(root, 'deploy/nats/nats.conf'), join(folder, 'nats/nats.conf'));
    const text = readFileSync(join(root, 'deploy/k8s/components/mtls/tls.conf'), 'utf8');
    writeFileSync(join(folder, 'nats/tls.conf'), text.replaceAll('/run/tls/', `${join(secrets.folder, 'certificates/nats')}/`));
    const program = await findNatsServer(() => undefined);
    expect(podsOf('nats').containers[0]?.args?.slice(0, 2)).toEqual(['--config', '/etc/nats/tls.conf']);
    execFileSync(program, ['-t', '--config', join(folder, 'nats/tls.conf')], { env: { NATS_NAME: 'nats-0' }, stdio: 'pipe' });
  });
});
