import { connect as connectTls } from 'node:tls';
import { AuditService } from '@accessops/proto/accessops/audit/v1/audit_pb';
import { createLogger } from '@accessops/telemetry';
import { patienceMs, replaceFile, type TestCertificates, testCertificates, until } from '@accessops/testing';
import { openTlsIdentity, type TlsFiles, type TlsIdentity } from '@accessops/tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type CallContext, connect, createHealthProbe, createServer, isServing, listen, serve } from '../../src/index.ts';

const log = createLogger('test', 'silent');
let certificates: TestCertificates;

beforeAll(async () => {
  certificates = await testCertificates();
});
afterAll(() => certificates.remove());

const unused = (): never => {
  throw new Error('not part of this test');
};

/** `audit`, which only the gateway may call; answers its port. */
const startServer = async (identity: TlsIdentity): Promise<string> => {
  const server = createServer();
  const handlers = {
    listAuditEvents: unused,
    listAllAuditEvents: unused,
    exportAuditEvents: async function* () {
      yield { ndjson: '' };
    },
    verifyAuditChain: async () => ({ ok: true }),
  };
  serve(server, AuditService, (call: CallContext) => call, handlers as never, { log });
  const running = await listen(server, '127.0.0.1:0', { identity, callers: ['gateway'], log });
  onTestFinished(() => running.close(0));
  return running.address.slice(running.address.lastIndexOf(':') + 1);
};

const serving = async () => startServer(openTlsIdentity(await certificates.issue('audit')));

const call = async (address: string, identity?: TlsIdentity): Promise<unknown> => {
  const client = connect(AuditService, address, { tls: identity });
  try {
    return await client.verifyAuditChain({});
  } finally {
    client.close();
  }
};

const piecesFor = async (address: string, identity: TlsIdentity): Promise<number> => {
  const client = connect(AuditService, address, { tls: identity });
  try {
    let pieces = 0;
    for await (const _ of client.exportAuditEvents({})) pieces++;
    return pieces;
  } finally {
    client.close();
  }
};

const identityOf = async (name: string, options?: Parameters<TestCertificates['issue']>[1]) =>
  openTlsIdentity(await certificates.issue(name, options));

describe('who may call a server by TLS', () => {
  test('when a process calls that has an edge to it, then it is answered, one by one and in streams', async () => {
    const port = await serving();
    const identity = await identityOf('gateway');
    expect(await call(`localhost:${port}`, identity)).toMatchObject({ ok: true });
    expect(await isServing(`localhost:${port}`, patienceMs)).toBe(false);
    const probe = createHealthProbe(`localhost:${port}`, identity);
    expect(await probe.isServing(patienceMs)).toBe(true);
    probe.close();
    expect(await piecesFor(`localhost:${port}`, identity)).toBe(1);
  });

  test('when a process of the same CA calls that has no edge to it, then no call of it is handled', async () => {
    const port = await serving();
    const identity = await identityOf('approvals');
    await expect(call(`localhost:${port}`, identity)).rejects.toMatchObject({ cause: { code: 7 } });
    await expect(piecesFor(`localhost:${port}`, identity)).rejects.toMatchObject({ cause: { code: 7 } });
    const probe = createHealthProbe(`localhost:${port}`, identity);
    expect(await probe.isServing(patienceMs)).toBe(false);
    probe.close();
  });

  test('when it asks itself, then it is told its health, and nothing else', async () => {
    const identity = await identityOf('audit');
    const port = await startServer(identity);
    const probe = createHealthProbe(`localhost:${port}`, identity);
    expect(await probe.isServing(patienceMs)).toBe(true);
    probe.close();
    await expect(call(`localhost:${port}`, identity)).rejects.toMatchObject({ cause: { code: 7 } });
  });

  test.each([
    ['without TLS', async () => undefined],
    [
      'with a certificate of another CA',
      async () => {
        const stranger = await certificates.createAuthority('A stranger');
        return identityOf('gateway', { authority: stranger, trusted: certificates.authority.certificate });
      },
    ],
    ['with a certificate that has expired', async () => identityOf('gateway', { from: new Date(Date.now() - 3 * 86_400_000), days: 1 })],
    ['with a certificate that begins tomorrow', async () => identityOf('gateway', { from: new Date(Date.now() + 86_400_000) })],
  ])('when somebody calls %s, then the handshake ends it', async (_, identityFor) => {
    const port = await serving();
    await expect(call(`localhost:${port}`, await identityFor())).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
  });

  test('when somebody shows no certificate, then nothing is said', async () => {
    const port = await serving();
    const socket = connectTls({ port: Number(port), host: 'localhost', ca: certificates.authority.certificate, ALPNProtocols: ['h2'] });
    const said = await new Promise<string>((resolve) => {
      socket.on('data', () => resolve('data'));
      socket.on('error', () => resolve('refused'));
      socket.on('close', () => resolve('refused'));
    });
    expect(said).toBe('refused');
  });

  test('when another process answers at its address, then it is not believed', async () => {
    const port = await startServer(await identityOf('audit', { hosts: ['audit'] }));
    await expect(call(`localhost:${port}`, await identityOf('gateway'))).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
  });
});

describe('certificates that change', () => {
  /** The serial number of the certificate that a server shows to a new connection. */
  const shownBy = (port: string, files: TlsFiles): Promise<string> =>
    new Promise((resolve, reject) => {
      const { material } = openTlsIdentity(files);
      const socket = connectTls({ port: Number(port), host: 'localhost', ...material, ALPNProtocols: ['h2'] }, () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
      socket.on('error', reject);
    });

  test('when certificate and CA are replaced under calls, then none fails, and new connections show and believe the new ones', async () => {
    const [ofServer, ofClient] = [await certificates.issue('audit'), await certificates.issue('gateway')];
    const [server, client] = [openTlsIdentity(ofServer), openTlsIdentity(ofClient)];
    const watches = [server.watch(log), client.watch(log)];
    onTestFinished(() => {
      for (const watch of watches) watch.close();
    });
    const port = await startServer(server);
    const address = `localhost:${port}`;
    const first = await shownBy(port, ofClient);

    let goesOn = true;
    let calls = 0;
    const kept = connect(AuditService, address, { tls: client });
    const callOnKept = async () => {
      while (goesOn) {
        await kept.verifyAuditChain({});
        calls++;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    // A connection of its own each time, with what is in force then.
    const callAnew = async () => {
      while (goesOn) {
        const { material } = client;
        const own: TlsIdentity = { ...client, material: { cert: material.cert, key: material.key, ca: material.ca } };
        await call(address, own);
        calls++;
      }
    };
    const calling = Promise.all([callOnKept(), callAnew()]);
    calling.catch(() => undefined);
    onTestFinished(() => {
      goesOn = false;
      kept.close();
    });

    const next = await certificates.createAuthority('The next CA');
    const both = `${certificates.authority.certificate}${next.certificate}`;
    for (const { ca } of [ofServer, ofClient]) replaceFile(ca, both);
    await until(() => server.material.ca === both && client.material.ca === both);
    await certificates.issue('audit', { authority: next, trusted: both });
    await certificates.issue('gateway', { authority: next, trusted: both });
    const second = await until(async () => {
      const shown = await shownBy(port, ofClient);
      return shown !== first && shown;
    });
    const renewed = openTlsIdentity(ofClient).material.cert;
    await until(() => client.material.cert === renewed);
    for (const { ca } of [ofServer, ofClient]) replaceFile(ca, next.certificate);
    await until(() => server.material.ca === next.certificate && client.material.ca === next.certificate);
    const before = calls;
    await until(() => calls > before + 50);
    goesOn = false;
    await calling;

    expect(second).not.toBe(first);
    // Whoever was certified by the CA that is gone gets in no more.
    const old = await certificates.issue('gateway', { trusted: both });
    await expect(call(address, openTlsIdentity(old))).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
  });

  test('when what is found there cannot be used, then what was there before stays in force', async () => {
    const files = await certificates.issue('audit');
    const identity = openTlsIdentity(files);
    const before = { ...identity.material };
    const lines: string[] = [];
    const watch = identity.watch({ ...log, warn: (_: object, line: string) => lines.push(line) } as never);
    onTestFinished(() => watch.close());
    replaceFile(files.key, (await certificates.authority.issue({ name: 'audit', hosts: ['audit'] })).key);
    await until(() => lines.length > 0);
    expect(lines[0]).toContain(`TLS_KEY_FILE: file ${files.key} is not the key of the certificate in TLS_CERT_FILE`);
    expect({ ...identity.material }).toEqual(before);
    const port = await startServer(identity);
    expect(await call(`localhost:${port}`, await identityOf('gateway'))).toMatchObject({ ok: true });
  });
});
