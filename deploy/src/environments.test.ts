import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { services } from '@accessops/events/topology';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { type Given, TrialSecrets } from './given.ts';
import { secretFiles } from './secret-files.ts';
import { isRead } from './variables.ts';

interface Service {
  profiles: string[];
  environment?: Record<string, unknown>;
  volumes?: (string | { source: string; target: string; volume?: { subpath: string } })[];
  depends_on?: Record<string, { required?: boolean }>;
}

const names = [...services, 'gateway'] as const;
const read = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');

const secrets = new TrialSecrets();
afterAll(() => secrets.remove());

const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> };

/** What compose makes of `${NAME:-default}` in an empty environment. */
const withDefaults = (value: unknown) => String(value).replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');

const given = (name: string): Given => {
  const { environment = {}, volumes = [] } = compose.services[name] ?? { profiles: [] };
  return {
    // Without a value it is handed on, where it is set.
    environment: Object.fromEntries(
      Object.entries(environment).flatMap(([key, value]) => (value === null ? [] : [[key, withDefaults(value)]])),
    ),
    mounts: Object.fromEntries(
      volumes.flatMap((volume) => (typeof volume === 'string' || !volume.volume ? [] : [[volume.target, volume.volume.subpath]])),
    ),
  };
};

describe('what the processes are given by compose', () => {
  it.each(names)('when %s starts, then it has all it needs, and all that it runs better with', (name) => {
    expect(secrets.configure(name, given(name)).deployment.missing).toEqual([]);
  });

  it.each([...names, 'migrate', 'keycloak-database', 'demo'])('when %s is given a variable, then it reads it', (name) => {
    expect(Object.keys(given(name).environment).filter((variable) => !isRead(name, variable))).toEqual([]);
  });

  it.each(services)('when %s starts, then it signs in to NATS and PostgreSQL as itself', (name) => {
    const { nats, databaseUrl } = secrets.configure(name, given(name));
    expect(nats.user).toBe(name);
    expect(databaseUrl).toContain(`//${name}:`);
  });

  it('when identity asks Keycloak, then the gateway believes the same issuer', () => {
    const { issuer, keycloak } = secrets.configure('identity', given('identity'));
    expect(keycloak).toEqual({ clientSecret: secrets.files.keycloak['client-secret']?.trim() });
    expect(secrets.configure('gateway', given('gateway')).issuer).toBe(issuer);
  });

  it('when the demo asks for access to its database, then there is a way in', () => {
    expect([...secrets.configure('provisioner', given('provisioner')).logins.postgres.keys()]).toEqual(['prod']);
  });

  it('when a profile is started alone, then all is in it that the others in it wait for', () => {
    const lacks = Object.entries(compose.services).flatMap(([name, { profiles, depends_on: needed = {} }]) =>
      Object.entries(needed).flatMap(([other, { required = true }]) =>
        profiles
          .filter((profile) => required && !compose.services[other]?.profiles.includes(profile))
          .map((profile) => `${profile}: ${name} needs ${other}`),
      ),
    );
    expect(lacks).toEqual([]);
  });
});

describe('secrets', () => {
  it('when they come from outside the cluster, then each holder gets exactly its own', () => {
    const external = parseAllDocuments(read('deploy/k8s/components/external-secrets/external-secrets.yaml')).map(
      (document) => document.toJS() as { metadata: { name: string }; spec: { data: { secretKey: string }[] } },
    );
    const listed = Object.fromEntries(external.map(({ metadata, spec }) => [metadata.name, spec.data.map(({ secretKey }) => secretKey)]));
    const ownServers = ['postgres', 'keycloak', 'keycloak-database', 'connectors', 'demo'];
    const needed = Object.entries(secrets.files).filter(([holder]) => !ownServers.includes(holder));
    expect(listed).toEqual(Object.fromEntries(needed.map(([holder, files]) => [holder, Object.keys(files)])));
  });

  it('when they are asked for again, then they are the same', () => {
    expect(secretFiles(secrets.folder)).toEqual(secrets.files);
  });
});
