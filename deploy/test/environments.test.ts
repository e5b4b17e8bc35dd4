import { services } from '@accessops/events/topology';
import { afterAll, describe, expect, it } from 'vitest';
import { type Given, TrialSecrets } from '../src/given.ts';
import { isRead } from '../src/variables.ts';
import { isThere } from './is-there.ts';
import { type Container, kustomizeWith, type Manifest, manifestsIn, manifestsOf, workloadsOf } from './kustomize.ts';

interface ConfigMap extends Manifest {
  data?: Record<string, string>;
}

interface Volumes {
  volumes?: { name: string; secret?: { secretName: string; optional?: boolean } }[];
}

const names = [...services, 'gateway'] as const;
const overlays = ['overlays/dev', 'overlays/production'];
const secrets = new TrialSecrets();
afterAll(() => secrets.remove());

const given = (manifests: Manifest[], name: string): Given => {
  const { spec } = workloadsOf(manifests).find(({ metadata }) => metadata.name === name)?.spec.template ?? {};
  const [container] = spec?.containers ?? [];
  const variableOf = ({ name: variable, value }: NonNullable<Container['env']>[number]) =>
    // Without a value it is the pod's name out of its labels.
    [variable, value ?? name];
  const ofConfigMap = (wanted: string) => (manifests as ConfigMap[]).find(({ metadata }) => metadata.name === wanted)?.data ?? {};
  const mounts = (container?.volumeMounts ?? []).flatMap((mount) => {
    const secret = (spec as Volumes).volumes?.find((volume) => volume.name === mount.name)?.secret;
    return secret ? [[mount.mountPath, secret.secretName]] : [];
  });
  return {
    environment: Object.assign(
      {},
      ...(container?.envFrom ?? []).map(({ configMapRef }) => ofConfigMap(configMapRef.name)),
      Object.fromEntries((container?.env ?? []).map(variableOf)),
    ),
    mounts: Object.fromEntries(mounts),
  };
};

describe.runIf(isThere('kubectl')).each(overlays)('what the processes are given by %s', (overlay) => {
  const manifests = manifestsOf(overlay);
  const configure = <N extends (typeof names)[number]>(name: N) => secrets.configure(name, given(manifests, name));

  it.each(names)('when %s starts, then it has all it needs', (name) => {
    const missing = configure(name).deployment.missing.map(({ variable }) => variable);
    // In which several gateways would count calls together: whoever has a Valkey names it.
    expect(missing).toEqual(name === 'gateway' ? ['REDIS_URL'] : []);
  });

  it('when a variable is given, to one process or to all, then somebody reads it', () => {
    const programs = [...names, 'migrate'];
    const variables = programs.flatMap((name) => Object.keys(given(manifests, name).environment));
    expect([...new Set(variables)].filter((variable) => !programs.some((name) => isRead(name, variable)))).toEqual([]);
  });

  it.each(services)('when %s starts, then it signs in to NATS and PostgreSQL as itself', (name) => {
    const { nats, databaseUrl } = configure(name);
    expect(nats).toMatchObject({ user: name, replicas: overlay === 'overlays/production' ? 3 : 1 });
    expect(databaseUrl).toContain(`//${name}:`);
  });

  it('when identity asks Keycloak, then the gateway believes the same issuer', () => {
    const { issuer, keycloak } = configure('identity');
    expect(keycloak).toEqual({ clientSecret: secrets.files.keycloak['client-secret']?.trim() });
    expect(configure('gateway').issuer).toBe(issuer);
  });

  it('when secrets are named, then somebody makes them', () => {
    const named = workloadsOf(manifests).flatMap(({ spec }) =>
      ((spec.template.spec as Volumes).volumes ?? []).flatMap(({ secret }) => (secret && !secret.optional ? [secret.secretName] : [])),
    );
    expect(named.filter((holder) => !Object.hasOwn(secrets.files, holder))).toEqual([]);
  });
});

describe.runIf(isThere('kubectl'))('the component tracing', () => {
  it.each(names)('when it is added, then %s sends some traces to the collector', (name) => {
    const manifests = manifestsIn(kustomizeWith('overlays/production', 'tracing'));
    expect(secrets.configure(name, given(manifests, name)).telemetry.tracing).toMatchObject({
      endpoint: 'http://otel-collector.monitoring:4318',
      sampler: 'parentbased_traceidratio',
      ratio: 0.1,
    });
  });
});
