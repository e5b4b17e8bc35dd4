import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { customResourceDefinitions } from './custom-resources.ts';
import { isThere } from './is-there.ts';
import { type Container, kustomize, kustomizeWith, type Manifest, manifestsOf, workloadsOf } from './kustomize.ts';

const overlays = ['overlays/dev', 'overlays/production'];
const containersOf = (overlay: string): Container[] =>
  workloadsOf(manifestsOf(overlay)).flatMap(({ spec }) => spec.template.spec.containers);

describe.runIf(isThere('kubectl'))('what the overlays hold', () => {
  it.each(overlays)('when %s is applied, then no pod has a token of the cluster', (overlay) => {
    for (const { spec } of workloadsOf(manifestsOf(overlay))) expect(spec.template.spec.automountServiceAccountToken).toBe(false);
  });

  it('when production is applied, then every container is limited and has a read-only root', () => {
    for (const { resources, securityContext } of containersOf('overlays/production')) {
      expect(resources?.limits?.memory).toBeDefined();
      expect(resources?.requests?.cpu).toBeDefined();
      expect(securityContext?.readOnlyRootFilesystem).toBe(true);
    }
  });

  it('when production is applied, then everything that serves has probes, a graceful end and is spread', () => {
    for (const { spec } of workloadsOf(manifestsOf('overlays/production')).filter(({ kind }) => kind !== 'Job')) {
      const [container] = spec.template.spec.containers;
      for (const probe of [container?.startupProbe, container?.livenessProbe, container?.readinessProbe]) expect(probe).toBeDefined();
      expect(container?.lifecycle?.preStop).toBeDefined();
      expect(spec.template.spec.topologySpreadConstraints).toHaveLength(2);
    }
  });

  it('when a new release is applied at once, then its services wait for its migrations', () => {
    const services = workloadsOf(manifestsOf('overlays/production')).filter(
      ({ spec }) => spec.template.metadata.labels['app.kubernetes.io/component'] === 'service',
    );
    expect(services).toHaveLength(5);
    for (const { spec } of services) expect(spec.template.spec.initContainers?.map(({ name }) => name)).toEqual(['await-schema']);
  });
});

describe.runIf(isThere('a Kubernetes API server, named by TEST_KUBECONFIG,'))('a real API server', () => {
  const namespace = `accessops-check-${randomBytes(4).toString('hex')}`;
  const options = ['--kubeconfig', process.env.TEST_KUBECONFIG ?? ''];
  const apply = (manifests: string, ...more: string[]) => {
    const args = [...options, '--namespace', namespace, 'apply', '--server-side', '--validate=strict', '-f', '-', ...more];
    const { status, stdout, stderr } = spawnSync('kubectl', args, { input: manifests, encoding: 'utf8' });
    return { status, output: `${stdout}${stderr}` };
  };
  /** The namespace is ours for the test: the overlay's own must exist before anything can be tried in it. */
  const inNamespace = (manifests: string) =>
    manifests
      .replaceAll(/namespace: accessops(-dev)?$/gm, `namespace: ${namespace}`)
      .replaceAll(/^ {2}name: accessops(-dev)?$/gm, `  name: ${namespace}`);

  beforeAll(() => {
    const labels = Object.fromEntries(['enforce', 'warn', 'audit'].map((mode) => [`pod-security.kubernetes.io/${mode}`, 'restricted']));
    const made = apply(JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }));
    if (made.status !== 0) throw new Error(made.output);
  });
  afterAll(() => {
    execFileSync('kubectl', [...options, 'delete', 'namespace', namespace, '--wait=false']);
  });

  it.each(['base', ...overlays])('when %s is tried with strict validation, then it accepts everything without a warning', (overlay) => {
    const { status, output } = apply(inNamespace(kustomize(overlay)), '--dry-run=server');
    expect(output).not.toContain('Warning');
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(output.trim().split('\n')).toHaveLength(manifestsOf(overlay).length);
  });

  describe.runIf(isThere('go'))('with the operators that components are for', () => {
    const made: string[] = [];

    beforeAll(() => {
      for (const definition of customResourceDefinitions()) {
        const { metadata } = parse(definition) as Manifest;
        const get = [...options, 'get', 'crd', metadata.name];
        // Whoever has one already keeps it as it is.
        if (spawnSync('kubectl', get).status === 0) continue;
        const { status, output } = apply(definition);
        if (status !== 0) throw new Error(output);
        made.push(metadata.name);
        execFileSync('kubectl', [...options, 'wait', '--for=condition=established', '--timeout=60s', 'crd', metadata.name]);
      }
    });
    afterAll(() => {
      if (made.length > 0) execFileSync('kubectl', [...options, 'delete', 'crd', ...made, '--wait=false']);
    });

    it('when production is tried with components, then it accepts everything without a warning', () => {
      const manifests = kustomizeWith('overlays/production', 'monitoring', 'tracing', 'mtls', 'external-secrets');
      const { status, output } = apply(inNamespace(manifests), '--dry-run=server');
      expect(output).not.toContain('Warning');
      expect({ status, output }).toMatchObject({ status: 0 });
      expect(output).toMatch(/servicemonitor.*\/gateway/);
      expect(output).toMatch(/externalsecret.*\/identity/);
      expect(output).toMatch(/certificate.*\/identity/);
    });

    it('when a field of theirs is misspelt, then it is refused', () => {
      const manifests = kustomizeWith('overlays/production', 'monitoring').replace('jobLabel', 'jobLable');
      expect(apply(inNamespace(manifests), '--dry-run=server').output).toContain('jobLable');
    });
  });

  it.each(overlays)('when the pods of %s are tried themselves, then Pod Security "restricted" lets them in', (overlay) => {
    // A Deployment is only warned about; a pod is refused.
    const pods = workloadsOf(manifestsOf(overlay)).map(({ kind, metadata, spec }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: metadata.name, namespace, labels: spec.template.metadata.labels },
      spec: {
        ...spec.template.spec,
        serviceAccountName: 'default',
        volumes: [
          ...((spec.template.spec as { volumes?: object[] }).volumes ?? []),
          // In place of the claim, which comes with a StatefulSet.
          ...(kind === 'StatefulSet' ? [{ name: 'data', emptyDir: {} }] : []),
        ],
      },
    }));
    const { status, output } = apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods }), '--dry-run=server');
    expect({ status, output }).toMatchObject({ status: 0 });
  });

  it('when a field is misspelt, then it is refused', () => {
    const { status, output } = apply(
      inNamespace(kustomize('overlays/production')).replace('minReplicas', 'minReplica'),
      '--dry-run=server',
    );
    expect(status).not.toBe(0);
    expect(output).toContain('minReplica');
  });

  it('when a pod asks for more than it needs, then it is refused', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'root', namespace },
      spec: { containers: [{ name: 'main', image: 'accessops/gateway' }] },
    };
    expect(apply(JSON.stringify(pod), '--dry-run=server').output).toContain('violates PodSecurity');
  });
});
