import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import satisfies from 'spdx-satisfies';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readAccepted } from '../../dev/src/supply-chain/accepted.ts';
import { bundle, programs, sbomFile } from '../src/bundle.ts';
import { TrialSecrets } from '../src/given.ts';

// Outside the repository, so that nothing of it can be found from there.
const folder = mkdtempSync(join(tmpdir(), 'accessops-bundles-'));
const names = Object.keys(programs);
beforeAll(async () => {
  for (const name of names) await bundle(name, folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each(names)('when the bundle of %s starts with nothing set, then it loads, and says what is missing', (name) => {
  const { status, stderr } = spawnSync(process.execPath, ['main.js'], { cwd: join(folder, name), env: {}, encoding: 'utf8' });
  expect({ status, stderr }).toMatchObject({ status: 78 });
  expect(stderr).toMatch(/^[A-Z_]+: /);
});

it('when the bundle of gateway is told of a collector, then what it loads for that works', async () => {
  const secrets = new TrialSecrets();
  const bodies: string[] = [];
  const collector = createServer((request, response) => {
    request.on('data', (part: Buffer) => bodies.push(part.toString()));
    request.on('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo;
  const nowhere = '127.0.0.1:9';
  const services = ['IDENTITY', 'REQUESTS', 'APPROVALS', 'PROVISIONER', 'AUDIT', 'CERBOS'];
  const child = spawn(process.execPath, ['main.js'], {
    cwd: join(folder, 'gateway'),
    env: {
      ...Object.fromEntries(services.map((name) => [`${name}_ADDRESS`, nowhere])),
      PORT: '0',
      NATS_URL: `nats://${nowhere}`,
      NATS_USER: 'gateway',
      NATS_PASSWORD: 'none',
      ISSUER: 'http://issuer.test',
      PRINCIPAL_KEY_FILE: join(secrets.folder, 'run/gateway/principal-key'),
      CURSOR_KEY_FILE: join(secrets.folder, 'run/gateway/cursor-key'),
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      SENTRY_DSN: `http://key@127.0.0.1:${port}/1`,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { port: own } = JSON.parse(line) as { port: number };
  expect((await fetch(`http://127.0.0.1:${own}/api/v1/me`)).status).toBe(401);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(bodies.join()).toContain('GET /api/v1/me');
  collector.close();
  secrets.remove();
});

interface Sbom {
  components: { purl: string; licenses?: { expression?: string; license?: { id?: string; name?: string } }[] }[];
}

const sbomOf = (name: string) => readFileSync(join(folder, name, sbomFile), 'utf8');
const componentsOf = (name: string) => (JSON.parse(sbomOf(name)) as Sbom).components;

it.each(names)('when %s is bundled, then it says what it is made of, as CycloneDX wants it', async (name) => {
  expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(sbomOf(name))).toBeNull();
  const packages = componentsOf(name).map(({ purl }) => purl.replace(/@[^@]*$/, ''));
  expect(packages).toEqual(
    expect.arrayContaining(['pkg:npm/zod', ...(name === 'gateway' ? ['pkg:npm/hono', 'pkg:npm/swagger-ui-dist'] : ['pkg:npm/pg'])]),
  );
  expect(packages.filter((purl) => /vitest|typescript|esbuild|cyclonedx/.test(purl))).toEqual([]);
});

it('when packages are in an image, then their licences are accepted', () => {
  const { licences } = readAccepted();
  const found = new Map(
    names
      .flatMap(componentsOf)
      .map(({ purl, licenses = [] }) => [
        purl,
        licenses.map(({ expression, license }) => expression ?? license?.id ?? license?.name ?? '').join(' AND '),
      ]),
  );
  const fits = (licence: string) => {
    try {
      return satisfies(licence, licences);
    } catch {
      return false;
    }
  };
  expect([...found].filter(([, licence]) => !fits(licence))).toEqual([]);
});

it('when the secrets are made twice, then they stay', () => {
  const make = () =>
    spawnSync(process.execPath, ['migrate/secrets.js', join(folder, 'secrets'), '--kubernetes'], { cwd: folder, encoding: 'utf8' }).stdout;
  const first = make();
  expect(JSON.parse(first)).toMatchObject({ kind: 'List' });
  expect(make()).toBe(first);
});
