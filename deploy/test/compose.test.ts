import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ApiClient } from '../../dev/src/api-client.ts';
import { demoPassword, emailOf } from '../../dev/src/demo.ts';
import { dashboardDocuments } from '../observability/dashboards.ts';
import { isThere } from './is-there.ts';
import { root } from './kustomize.ts';

interface Service {
  build?: object;
  image: string;
  ports?: object[];
  healthcheck?: object;
  deploy?: { resources?: { limits?: { memory?: string } } };
}

const project = `accessops-check-${process.pid}`;
const environment = {
  ...process.env,
  VERSION: `check-${process.pid}`,
  COMMIT: 'a commit',
  PORT: '',
  // The machine builds and tests besides: what is slow for a moment is not down.
  DECISION_TIMEOUT_MS: '30000',
};
const docker = (...args: string[]): string =>
  execFileSync('docker', args, {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 ** 2,
  });
const compose = (...args: string[]): string => docker('compose', '--project-name', project, ...args);

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
};

const until = async <T>(read: () => Promise<T>, isWanted: (value: T) => boolean): Promise<T> => {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const value = await read();
    if (isWanted(value) || Date.now() > deadline) return value;
    await delay(200);
  }
};

// Calls of somebody in the network who has no certificate.
const plainCalls = `
  const net = require('node:net');
  const hello = net.connect(4222, 'nats').once('data', (text) => {
    console.log('nats tls_required', JSON.parse(String(text).slice(5)).tls_required === true);
    hello.destroy();
    next([['cerbos', 3593], ['requests', 9090]]);
  });
  const preface = 'PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n' + '\\0\\0\\0\\x04\\0\\0\\0\\0\\0';
  const next = ([[name, port] = [], ...others]) => {
    if (!name) return;
    let answered = false;
    const call = net.connect(port, name, () => call.write(preface));
    // Frame type 4 is SETTINGS: somebody who speaks HTTP/2 without TLS.
    call.on('data', (bytes) => (answered ||= bytes[3] === 4)).on('error', () => undefined);
    call.setTimeout(3000, () => call.destroy());
    call.on('close', () => (console.log(name, answered ? 'answered' : 'refused'), next(others)));
  };
`;

const megabytes = (image: string) => Number(docker('image', 'inspect', '--format', '{{.Size}}', image)) / 1024 ** 2;

describe.runIf(isThere('a Docker Engine with compose'))('compose', () => {
  const own = ['gateway', 'identity', 'requests', 'approvals', 'provisioner', 'audit', 'migrate'];
  let configured: Record<string, Service>;

  beforeAll(async () => {
    environment.PORT = String(await freePort());
    configured = (parse(compose('--profile', '*', 'config')) as { services: Record<string, Service> }).services;
    compose('--profile', 'all', 'build', '--quiet');
  });
  afterAll(() => {
    compose('--profile', '*', 'down', '--volumes', '--timeout', '20');
    docker('image', 'rm', ...[...own, 'keycloak'].map((name) => `accessops/${name}:${environment.VERSION}`));
  });

  /** The way of a request to the database of the demo, through two approvals, until access is there. */
  const requestToGrant = async () => {
    const anonymous = new ApiClient(`http://127.0.0.1:${environment.PORT}`);
    const login = async (name: string) => {
      const body = { email: emailOf(name, 'acme'), password: demoPassword };
      return anonymous.as(String((await anonymous.must([200], 'POST', '/auth/login', body)).accessToken));
    };
    const [requester, first, second] = [await login('requester'), await login('approver1'), await login('approver2')];
    const [resource] = (await requester.list('/catalog/resources')).filter(({ key }) => key === 'prod-db');
    const wish = { resourceId: resource?.id, role: 'reader', justification: 'Ticket 4711', duration: 'PT1H' };
    const { id } = await requester.must([201], 'POST', '/requests', wish);
    for (const approver of [first, second]) await approver.must([200], 'POST', `/requests/${String(id)}/approve`, {});
    const read = () => requester.must([200], 'GET', `/requests/${String(id)}`);
    return until(read, ({ status }) => status === 'ACTIVE');
  };

  it('when all profiles are read, then only the gateway is published and whatever stays is limited', () => {
    expect(Object.keys(configured).filter((name) => configured[name]?.ports)).toEqual(['gateway']);
    const oneShot = ['secrets', 'secrets-of-demo', 'migrate', 'nats-data', 'keycloak-database', 'demo'];
    const unlimited = Object.keys(configured).filter((name) => !configured[name]?.deploy?.resources?.limits?.memory);
    expect(unlimited.toSorted()).toEqual(oneShot.toSorted());
  });

  it.each(own)('when the image of %s is built, then it is small, without root, and names its commit', (name) => {
    const image = `accessops/${name}:${environment.VERSION}`;
    expect(megabytes(image) - megabytes('node:24-bookworm-slim')).toBeLessThan(120);
    const config = JSON.parse(docker('image', 'inspect', '--format', '{{json .Config}}', image)) as Record<string, unknown>;
    expect(config).toMatchObject({ User: '1000:1000', Entrypoint: ['/usr/local/bin/node'] });
    expect(config.Labels).toMatchObject({ 'org.opencontainers.image.revision': 'a commit' });
  });

  it('when one service is asked for, then it comes up with what it needs and nothing else', { timeout: 600_000 }, () => {
    compose('--profile', 'audit', 'up', '--wait');
    const running = compose('--profile', 'all', 'ps', '--services', '--status', 'running').trim().split('\n');
    expect(running.toSorted()).toEqual(['audit', 'cerbos', 'nats', 'postgres']);
  });

  it('when all is asked for, then the way from request to credential works', { timeout: 1_800_000 }, async () => {
    compose('--profile', 'all', 'up', '--wait');
    expect(await requestToGrant()).toMatchObject({ status: 'ACTIVE' });
  });

  it('when end-to-end suites run there, then they pass', { timeout: 1_800_000 }, () => {
    const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', 'vitest.running.config.ts'];
    const env = { ...environment, ACCESSOPS_URL: `http://127.0.0.1:${environment.PORT}` };
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 });
    // What they say is for whoever reads of a failure.
    expect({ status, said: status === 0 ? '' : stdout.slice(-10_000) }).toEqual({ status: 0, said: '' });
  });

  it('when Prometheus is started besides, then it gets metrics of every process, and dashboards and alerts are what it can answer', {
    timeout: 600_000,
  }, async () => {
    compose('--profile', 'all', '--profile', 'observability', 'up', '--wait', '--no-deps', 'prometheus');
    const ask = (path: string) => {
      const exec = '--profile observability exec --no-TTY prometheus wget -q -O -'.split(' ');
      const answer = compose(...exec, `http://127.0.0.1:9090/api/v1/${path}`);
      return (JSON.parse(answer) as { data: { result?: object[]; groups?: { rules: { health: string }[] }[] } }).data;
    };
    const up = async () => ask(`query?query=${encodeURIComponent('up == 1')}`).result ?? [];
    // All of our own that stay, and Cerbos.
    expect(await until(up, ({ length }) => length === own.length)).toHaveLength(own.length);
    const evaluated = async () => (ask('rules').groups ?? []).flatMap(({ rules }) => rules.map(({ health }) => health));
    expect(new Set(await until(evaluated, (health) => !health.includes('unknown')))).toEqual(new Set(['ok']));
    const queries = Object.values(dashboardDocuments()).flatMap((text) =>
      (JSON.parse(text) as { panels: { targets: { expr: string }[] }[] }).panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    );
    for (const query of queries) expect(ask(`query?query=${encodeURIComponent(query)}`).result).toBeDefined();
  });

  it('when a process is told to stop, then it ends by itself and in time', () => {
    compose('--profile', 'all', 'stop', '--timeout', '20', ...own.slice(0, 6));
    const exitCode = (name: string) =>
      docker('inspect', '--format', '{{.State.ExitCode}}', compose('--profile', 'all', 'ps', '--all', '--quiet', name).trim()).trim();
    expect(own.slice(0, 6).map((name) => `${name} ${exitCode(name)}`)).toEqual(own.slice(0, 6).map((name) => `${name} 0`));
  });

  it('when it looks for the secrets of another, then a container finds none', () => {
    const found = spawnSync(
      'docker',
      [
        'compose',
        '--project-name',
        project,
        'run',
        '--rm',
        '--no-deps',
        'audit',
        '-e',
        'console.log(require("fs").readdirSync("/run/secrets").join())',
      ],
      { cwd: root, env: environment, encoding: 'utf8' },
    );
    expect(found.stdout.trim()).toBe('database-url,nats-password,principal-jwks');
  });

  it('when it goes on with mutual TLS, then the way of a request works, and nobody gets in without', { timeout: 1_800_000 }, async () => {
    const withTls = ['--file', 'docker-compose.yml', '--file', 'docker-compose.tls.yml', '--profile', 'all'];
    compose(...withTls, 'up', '--wait');
    expect(await requestToGrant()).toMatchObject({ status: 'ACTIVE' });
    const by = "select usename from pg_stat_ssl join pg_stat_activity using (pid) where datname = 'accessops' and usename <> 'postgres'";
    const ask = (condition: string) =>
      compose('--profile', 'all', 'exec', '--no-TTY', 'postgres', 'psql', '-U', 'postgres', '-Atc', `${by} and ${condition}`);
    expect(ask('ssl and client_dn is not null').trim().split('\n')).toEqual(expect.arrayContaining(['audit', 'identity', 'requests']));
    expect(ask('not ssl').trim()).toBe('');
    // A login is not enough.
    const plain = spawnSync('docker', ['compose', '--project-name', project, 'exec', '--no-TTY', 'audit', 'node', '-e', plainCalls], {
      cwd: root,
      env: environment,
      encoding: 'utf8',
    });
    expect(plain.stdout.trim().split('\n')).toEqual(['nats tls_required true', 'cerbos refused', 'requests refused']);
  });
});
