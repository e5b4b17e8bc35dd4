import { describe, expect, it } from 'vitest';
import { type NetworkPolicy, openEdges, openingsOutside, type Pod } from '../src/edges.ts';
import { isThere } from './is-there.ts';
import { kustomizeWith, type Manifest, manifestsIn, manifestsOf, workloadsOf } from './kustomize.ts';

const policiesIn = (manifests: Manifest[]) => manifests.filter(({ kind }) => kind === 'NetworkPolicy') as unknown as NetworkPolicy[];

const podsIn = (manifests: Manifest[]): Pod[] =>
  workloadsOf(manifests).map(({ metadata, spec }) => ({
    name: metadata.name,
    labels: spec.template.metadata.labels,
    ports: spec.template.spec.containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort)),
  }));

const services = ['identity', 'requests', 'approvals', 'provisioner', 'audit'];

// The picture in docs/architecture.md.
const picture = [
  ...services.flatMap((service) => [`gateway → ${service}:9090`, `${service} → nats:4222`, `${service} → cerbos:3593`]),
  'gateway → cerbos:3593',
  'gateway → nats:4222',
  'approvals → requests:9090',
  'provisioner → identity:9090',
  'provisioner → requests:9090',
  'nats → nats:6222',
];

const ofDev = [
  ...[...services, 'migrate', 'keycloak', 'demo'].map((client) => `${client} → postgres:5432`),
  'identity → keycloak:8080',
  'identity → mailpit:1025',
  'demo → gateway:8080',
];

const outside = ['accessops.io/ingress=true → gateway', 'every pod → kubernetes.io/metadata.name=kube-system', 'provisioner → 0.0.0.0/0'];

describe.runIf(isThere('kubectl'))('NetworkPolicies', () => {
  it('when production is laid out, then exactly the edges of the picture are open', () => {
    const manifests = manifestsOf('overlays/production');
    expect(openEdges(policiesIn(manifests), podsIn(manifests))).toEqual(picture.toSorted());
  });

  it('when production is laid out, then outside there are only the entrance, DNS, the database, mail, Keycloak and the targets', () => {
    const manifests = manifestsOf('overlays/production');
    const database = [...services, 'migrate'].map((client) => `${client} → 10.20.0.0/24`);
    expect(openingsOutside(policiesIn(manifests), podsIn(manifests))).toEqual(
      [...outside, ...database, 'identity → 10.20.1.0/24', 'identity → 10.20.2.0/24'].toSorted(),
    );
  });

  it('when the dev overlay brings its own servers, then only their edges are added', () => {
    const manifests = manifestsOf('overlays/dev');
    expect(openEdges(policiesIn(manifests), podsIn(manifests))).toEqual([...picture, ...ofDev].toSorted());
    expect(openingsOutside(policiesIn(manifests), podsIn(manifests))).toEqual(outside.toSorted());
  });

  it('when Prometheus is let in, then only to where metrics are', () => {
    const manifests = manifestsIn(kustomizeWith('overlays/production', 'monitoring', 'external-secrets'));
    const policies = policiesIn(manifests).filter(({ metadata }) => metadata.name.startsWith('monitoring'));
    expect(openingsOutside(policies, podsIn(manifests))).toEqual(
      ['gateway', ...services, 'cerbos'].map((pod) => `accessops.io/monitoring=true → ${pod}`).toSorted(),
    );
    expect(openEdges(policiesIn(manifests), podsIn(manifests))).toEqual(picture.toSorted());
  });
});
