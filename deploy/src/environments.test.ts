import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { services } from '@accessops/events/topology';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { configFrom as gateway } from '../../gateway/src/config.ts';
import { configFrom as approvals } from '../../services/approvals/src/config.ts';
import { configFrom as audit } from '../../services/audit/src/config.ts';
import { configFrom as identity } from '../../services/identity/src/config.ts';
import { configFrom as provisioner } from '../../services/provisioner/src/config.ts';
import { configFrom as requests } from '../../services/requests/src/config.ts';
import { secretFiles } from './secret-files.ts';

type Environment = Record<string, string>;

interface EnvVar {
  name: string;
  value?: string;
}

interface Workload {
  kind: string;
  spec: { template: { spec: { containers: { env?: EnvVar[] }[] } } };
}

const configs = { gateway, identity, requests, approvals, provisioner, audit };
const names = [...services, 'gateway'] as const;
const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const folder = mkdtempSync(join(tmpdir(), 'accessops-deploy-'));
const secrets = secretFiles(folder);
for (const [holder, files] of Object.entries(secrets)) {
  mkdirSync(join(folder, 'run', holder), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'run', holder, name), text);
}
afterAll(() => rmSync(folder, { recursive: true }));

/** The environment with the paths in a container as paths here. */
const here = (name: string, environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, value.replace('/run/secrets', join(folder, 'run', name))]));

/** What compose makes of `${NAME:-default}` in an empty environment. */
const withDefaults = (value: unknown) => String(value).replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');

const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, { environment: Environment }> };

const ofCompose = (name: string): Environment =>
  Object.fromEntries(Object.entries(compose.services[name]?.environment ?? {}).map(([key, value]) => [key, withDefaults(value)]));

const variablesIn = (path: string): EnvVar[] =>
  parseAllDocuments(read(path))
    .map((document) => document.toJS() as Workload)
    .filter(({ kind }) => kind === 'Deployment')
    .flatMap(({ spec }) => spec.template.spec.containers[0]?.env ?? []);

const literalsIn = (path: string): Environment => {
  const { configMapGenerator = [] } = parse(read(path)) as { configMapGenerator?: { literals: string[] }[] };
  return Object.fromEntries(configMapGenerator.flatMap(({ literals }) => literals.map((line) => line.split(/=(.*)/s).slice(0, 2))));
};

const ofKubernetes = (name: string): Environment => {
  const base = 'deploy/k8s/base';
  const patches = name === 'gateway' ? ['process'] : ['process', 'service'];
  const variables = [name, ...patches].flatMap((file) => variablesIn(`${base}/${file}.yaml`));
  return {
    ...literalsIn(`${base}/kustomization.yaml`),
    ...literalsIn('deploy/k8s/overlays/production/kustomization.yaml'),
    // Without a value it is the pod's name out of its labels.
    ...Object.fromEntries(variables.map((variable) => [variable.name, variable.value ?? name])),
  };
};

describe('what the processes are given', () => {
  it.each(names)('when %s starts in compose, then it has all it needs', (name) => {
    expect(() => configs[name](here(name, ofCompose(name)))).not.toThrow();
  });

  it.each(names)('when %s starts in Kubernetes, then it has all it needs', (name) => {
    expect(() => configs[name](here(name, ofKubernetes(name)))).not.toThrow();
  });

  it('when a process starts, then it signs in to NATS and PostgreSQL as itself', () => {
    for (const name of names) expect(configs[name](here(name, ofKubernetes(name))).nats.user).toBe(name);
    for (const name of services) expect(configs[name](here(name, ofCompose(name))).databaseUrl).toContain(`//${name}:`);
  });

  it('when secrets come from outside the cluster, then each holder gets exactly its own', () => {
    const external = parseAllDocuments(read('deploy/k8s/components/external-secrets/external-secrets.yaml')).map(
      (document) => document.toJS() as { metadata: { name: string }; spec: { data: { secretKey: string }[] } },
    );
    const given = Object.fromEntries(external.map(({ metadata, spec }) => [metadata.name, spec.data.map(({ secretKey }) => secretKey)]));
    const { postgres: _, keycloak: __, ...needed } = secrets;
    expect(given).toEqual(Object.fromEntries(Object.entries(needed).map(([holder, files]) => [holder, Object.keys(files)])));
  });

  it('when the secrets are asked for again, then they are the same', () => {
    expect(secretFiles(folder)).toEqual(secrets);
  });
});
