import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { connect as connectGrpc } from '@accessops/grpc';
import { RequestsService } from '@accessops/proto/accessops/requests/v1/requests_pb';
import {
  type CertificateFiles,
  type SecureServers,
  startSecureServers,
  type TestCertificates,
  testCertificates,
  until,
} from '@accessops/testing';
import { openTlsIdentity, type TlsIdentity, tlsIdentityOf } from '@accessops/tls';
import { connect as connectNats } from 'nats';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ServiceName, serviceNames } from '../../src/config.ts';
import { startWorld, type World } from '../world.ts';

// Servers and services of its own, on processors that other suites share.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 180_000 });

const decimal = (hex: string): string => BigInt(`0x${hex}`).toString();

const variablesOf = ({ cert, key, ca }: CertificateFiles) => ({ TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CA_FILE: ca });

const processes = ['gateway', ...serviceNames] as const;

describe('a platform by mutual TLS', () => {
  let certificates: TestCertificates;
  let servers: SecureServers;
  let world: World;
  let next: Awaited<ReturnType<TestCertificates['createAuthority']>>;
  let both: string;
  const files = new Map<string, CertificateFiles>();

  const filesOf = (name: string): CertificateFiles => {
    const found = files.get(name);
    if (!found) throw new Error(`${name} has no certificate`);
    return found;
  };

  beforeAll(async () => {
    certificates = await testCertificates();
    next = await certificates.createAuthority('The next CA');
    both = `${certificates.authority.certificate}${next.certificate}`;
    for (const name of processes) files.set(name, await certificates.issue(name));
    servers = await startSecureServers(serviceNames, {
      postgres: await certificates.issue('postgres', { trusted: both }),
      nats: await certificates.issue('nats', { trusted: both }),
      cerbos: await certificates.issue('cerbos', { trusted: both }),
      migrate: await certificates.issue('migrate'),
    });
    const { nats } = servers;
    world = await startWorld({
      database: servers.database,
      cerbosAddress: servers.cerbosAddress,
      overridesOf: (name: ServiceName | 'gateway') => ({
        ...variablesOf(filesOf(name)),
        LISTEN: 'localhost:0',
        NATS_URL: nats.url,
        NATS_USER: nats.user,
        NATS_PASSWORD: nats.password,
        ...(name === 'gateway' ? {} : { METRICS_LISTEN: '127.0.0.1:0' }),
      }),
    });
  });
  afterAll(async () => {
    await world?.close();
    await servers?.close();
    certificates.remove();
  });

  const asSuperuser = async (sql: string, values: string[]): Promise<Record<string, string>[]> => {
    const client = new pg.Client({ connectionString: servers.database.adminUrl });
    await client.connect();
    try {
      return (await client.query<Record<string, string>>(sql, values)).rows;
    } finally {
      await client.end();
    }
  };

  /** The certificates that a service has shown to PostgreSQL on the connections that it has. */
  const certificatesOf = async (login: string): Promise<string[]> => {
    const shown =
      'select distinct client_serial::text as serial from pg_stat_ssl join pg_stat_activity using (pid) where usename = $1 and ssl';
    return (await asSuperuser(shown, [login])).map(({ serial = '' }) => serial);
  };
  const serialOf = (name: string): string => decimal(new X509Certificate(readFileSync(filesOf(name).cert)).serialNumber);

  /** What `requests` answers to somebody without a token: the code of the error. */
  const answerTo = async (identity: TlsIdentity | undefined, to: ServiceName): Promise<string> => {
    const client = connectGrpc(RequestsService, world.addresses[to], { tls: identity });
    try {
      return await client.getRequest({ id: '' }).then(
        () => 'answered',
        (error: { code: string }) => error.code,
      );
    } finally {
      client.close();
    }
  };

  const shownBy = (address: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { material } = openTlsIdentity(filesOf('gateway'));
      const socket = connectTls({ port: Number(address.split(':').at(-1)), host: 'localhost', ...material, ALPNProtocols: ['h2'] }, () => {
        resolve(decimal(socket.getPeerCertificate().serialNumber));
        socket.destroy();
      });
      socket.on('error', reject);
    });

  test('when somebody registers and asks for access, then every part answers, and events arrive', async () => {
    const { admin } = await world.organization();
    const { body } = await world.call('GET', '/org/audit', { token: admin.token });
    expect(body.items).toBeDefined();
    await until(async () => (await world.call('GET', '/org/audit', { token: admin.token })).body.items?.length, { what: 'audit events' });
    expect(await certificatesOf('identity')).toEqual([serialOf('identity')]);
  });

  test('when somebody comes without TLS or certificate, then NATS, PostgreSQL and the services send them away', async () => {
    const { nats, database } = servers;
    const { port } = new URL(nats.url);
    const login = { user: nats.user, pass: nats.password, reconnect: false, maxReconnectAttempts: 0 };
    await expect(connectNats({ servers: `127.0.0.1:${port}`, ...login, tls: null })).rejects.toThrow();
    const ca = certificates.authority.certificate;
    await expect(connectNats({ servers: `127.0.0.1:${port}`, ...login, tls: { ca } })).rejects.toThrow();
    const plain = new pg.Client({ connectionString: database.appUrl('identity').replace('?sslmode=verify-full', '') });
    await expect(plain.connect()).rejects.toMatchObject({ code: '28000' });
    const unproved = new pg.Client({
      connectionString: database.appUrl('identity').replace('?sslmode=verify-full', ''),
      ssl: { ca, rejectUnauthorized: true },
    });
    await expect(unproved.connect()).rejects.toMatchObject({ code: '28000' });
    const stranger = connectGrpc(RequestsService, world.addresses.requests);
    await expect(stranger.getRequest({ id: '' })).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
    stranger.close();
  });

  test('when a process without an edge shows its certificate, then it is refused; with an edge it is asked for its token', async () => {
    const call = async (from: string) => answerTo(openTlsIdentity(await certificates.issue(from, { folder: `as-${from}` })), 'requests');
    for (const from of ['gateway', 'approvals', 'provisioner']) expect(await call(from)).toBe('INVALID_TOKEN');
    for (const from of ['identity', 'audit', 'requests', 'nats']) expect(await call(from)).toBe('INTERNAL_ERROR');
  });

  test('when a service is asked for its health from beside it, then its own certificate is enough, and none is needed by HTTP', async () => {
    const { address, metricsAddress = '' } = world.services.audit;
    const check = (env: Record<string, string>): Promise<number> =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [join(import.meta.dirname, '../../../deploy/healthcheck.ts')], { env, stdio: 'ignore' });
        child.once('close', (code) => resolve(code ?? -1));
      });
    const { port } = new URL(`grpc://${address}`);
    const LISTEN = `0.0.0.0:${port}`;
    expect(await check({ LISTEN, ...variablesOf(filesOf('audit')) })).toBe(0);
    expect(await check({ LISTEN, ...variablesOf(filesOf('approvals')) })).toBe(1);
    expect(await check({ LISTEN })).toBe(1);
    for (const path of ['/livez', '/readyz']) expect((await fetch(`http://${metricsAddress}${path}`)).status).toBe(200);
    const health = await fetch(`http://${metricsAddress}/health`);
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok', services: { postgresql: 'ok', cerbos: 'ok', nats: 'ok' } }]);
  });

  test('when metrics are asked for, then they tell when the certificates expire', async () => {
    const text = await (await fetch(`${world.gateway.url}/metrics`)).text();
    const { cert, ca } = filesOf('gateway');
    for (const file of [cert, ca]) expect(text).toContain(`accessops_certificate_expiry_timestamp_seconds{file="${file}"} `);
  });

  test('when all certificates are renewed under calls, then no call fails, and every new connection shows the new one', async () => {
    const { admin } = await world.organization();
    const former = serialOf('identity');
    const statuses = new Set<number>();
    let goesOn = true;
    const callOnAndOn = async () => {
      while (goesOn) {
        for (const path of ['/me', '/org/users', '/org/audit'])
          statuses.add((await world.call('GET', path, { token: admin.token })).status);
      }
    };
    const calling = Promise.all([callOnAndOn(), callOnAndOn()]);
    calling.catch(() => undefined);

    // First all believe both, and only then something of the next is shown.
    for (const name of processes) await certificates.issue(name, { trusted: both });
    const renewed = tlsIdentityOf(variablesOf(await certificates.issue('gateway', { authority: next, trusted: both, folder: 'early' })));
    for (const name of serviceNames) {
      await until(async () => (await answerTo(renewed, name)) !== 'DEPENDENCY_UNAVAILABLE', {
        what: `${name}, which believes the next CA`,
      });
    }
    await until(async () => (await shownBy(world.addresses.identity)) !== former, { what: 'a certificate that was read again' });
    for (const name of processes) await certificates.issue(name, { authority: next, trusted: both });
    for (const name of serviceNames) {
      await until(async () => (await shownBy(world.addresses[name])) === serialOf(name), { what: `the new certificate of ${name}` });
    }
    goesOn = false;
    await calling;
    expect([...statuses]).toEqual([200]);

    await asSuperuser('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', ['identity']);
    await until(async () => (await certificatesOf('identity')).length > 0);
    expect(await certificatesOf('identity')).toEqual([serialOf('identity')]);

    // They believe the next CA only, from here on.
    for (const name of ['nats', 'cerbos'] as const) {
      await certificates.issue(name, { authority: next });
      await servers.restart(name);
    }
    const isHealthy = async () => (await world.call('GET', '//health')).body.status === 'ok';
    await until(isHealthy, { timeoutMs: 20_000, what: 'NATS and Cerbos, called with the new certificates' });
    await world.organization();
  });
});
