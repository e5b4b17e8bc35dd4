import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  createDatabase,
  infrastructure,
  namespace,
  replaceFile,
  serviceEnvironment,
  type TestDatabase,
  testCertificates,
  until,
} from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  findNatsServer,
  folderOf,
  type ProcessSpec,
  prepareCerbos,
  prepareNats,
  reserveFreePort,
  root,
  type ServerName,
  type Service,
  supervise,
  withAdmin,
} from '../../src/index.ts';

// Processes are started one after the other, on processors that other suites share.
vi.setConfig({ testTimeout: 90_000 });

interface Ended {
  code: number | null;
  /** What it says is wrong. */
  lines: string[];
  /** What it logged. */
  log: string;
}

interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  log(): string;
}

const children: ChildProcess[] = [];
// What has been compiled once is kept, as with `npm start`.
const compiled = { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled') };

/** Starts the real process with nothing but this environment. */
const run = (name: ServerName, env: Record<string, string>): Running => {
  const child = spawn(process.execPath, ['main.ts'], {
    cwd: folderOf(name),
    env: { ...compiled, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [log, told] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, lines: told.split('\n').filter((line) => line !== ''), log }));
  });
  children.push(child);
  return { child, ended, log: () => log };
};

let database: TestDatabase;
let own: string;

beforeAll(async () => {
  database = await createDatabase(['audit', 'requests']);
  own = mkdtempSync(join(infrastructure().directory, 'refusals-'));
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(own, { recursive: true, force: true });
  await database.drop();
});

const environmentOf = (name: Service, overrides: Record<string, string> = {}) =>
  serviceEnvironment(name, { database, namespace: namespace(), overrides: { LOG_LEVEL: 'info', ...overrides } });

const gatewayEnvironment = (overrides: Record<string, string> = {}): Record<string, string> => {
  const { nats, cerbosAddress, keyFiles } = infrastructure();
  const nowhere = ['IDENTITY', 'REQUESTS', 'APPROVALS', 'PROVISIONER', 'AUDIT'].map((name) => [`${name}_ADDRESS`, '127.0.0.1:9']);
  return {
    ...Object.fromEntries(nowhere),
    PORT: '0',
    ISSUER: 'http://accessops.test',
    CERBOS_ADDRESS: cerbosAddress,
    NATS_URL: nats.url,
    NATS_USER: nats.user,
    NATS_PASSWORD: nats.password,
    PRINCIPAL_KEY_FILE: keyFiles.gatewayPrincipalKey,
    CURSOR_KEY_FILE: keyFiles.cursorKey,
    ...overrides,
  };
};

/** It has told exactly this, ended for good, and never begun to serve. */
const expectRefusal = async ({ ended }: Running, lines: (string | RegExp)[]): Promise<void> => {
  const { code, lines: told, log } = await ended;
  expect({ code, told }).toEqual({ code: 78, told: lines.map((line) => (typeof line === 'string' ? line : expect.stringMatching(line))) });
  expect(log).not.toContain('listening');
};

const expectStart = async ({ child, ended, log }: Running): Promise<void> => {
  await until(() => log().includes('listening'), { timeoutMs: 60_000, what: 'a process that listens' });
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0, lines: [] });
};

const launch = async (spec: ProcessSpec): Promise<void> => {
  const running = supervise(spec, { logFile: join(own, `${spec.name}.log`) });
  onTestFinished(() => running.stop());
  await running.ready;
};

const missing = (name: string) =>
  name.endsWith('_FILE')
    ? `${name}: is missing; set it to the path of the file`
    : `${name}: is missing; set it, or ${name}_FILE to the path of a file that holds it`;

describe('variables', () => {
  const ofAll = ['NATS_URL', 'NATS_USER', 'NATS_PASSWORD', 'CERBOS_ADDRESS'];
  const ofService = ['LISTEN', 'DATABASE_URL', ...ofAll, 'PRINCIPAL_JWKS_FILE'];

  test.each([
    [
      'gateway',
      [
        'PORT',
        ...['IDENTITY', 'REQUESTS', 'APPROVALS', 'PROVISIONER', 'AUDIT'].map((name) => `${name}_ADDRESS`),
        ...ofAll,
        'ISSUER',
        'PRINCIPAL_KEY_FILE',
        'CURSOR_KEY_FILE',
      ],
      [],
    ],
    ['identity', [...ofService, 'PUBLIC_URL', 'ISSUER', 'IDENTITY_KEY_FILE'], ['SMTP_URL: is needed, or MAIL_DIRECTORY instead']],
    ['requests', ofService, []],
    ['approvals', [...ofService, 'REQUESTS_ADDRESS', 'PRINCIPAL_KEY_FILE'], []],
    [
      'provisioner',
      [...ofService, 'IDENTITY_ADDRESS', 'REQUESTS_ADDRESS', 'PRINCIPAL_KEY_FILE', 'CREDENTIAL_KEY_FILE'],
      ['FILES_DIRECTORY: is needed, or FILES_S3_BUCKET instead'],
    ],
    ['audit', ofService, []],
  ] as [ServerName, string[], string[]][])(
    'when %s is told nothing, then it names all that it cannot do without',
    async (name, names, more) => {
      const { code, lines } = await run(name, {}).ended;
      expect(code).toBe(78);
      expect(lines.toSorted()).toEqual([...names.map(missing), ...more].toSorted());
    },
  );

  test('when a process is told what it cannot understand, then each has its line', async () => {
    const running = run('gateway', { ...gatewayEnvironment(), NATS_URL: 'http://nats', CERBOS_ADDRESS: 'cerbos', LOG_LEVEL: 'loud' });
    await expectRefusal(running, [/^CERBOS_ADDRESS: must be host:port$/, /^NATS_URL: must begin with nats/, /^LOG_LEVEL: Invalid option/]);
  });
});

describe('certificates', () => {
  test('when they cannot be used, then it is told which file, and what to do', async () => {
    const certificates = await testCertificates();
    onTestFinished(() => certificates.remove());
    const { cert, key, ca } = await certificates.issue('audit');
    const variables = { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CA_FILE: ca };
    const unreadable = { ...variables, TLS_KEY_FILE: '/nowhere/tls.key', TLS_CA_FILE: '/nowhere/ca.crt' };
    const unproved = `${database.appUrl('audit')}?sslmode=require`;
    await expectRefusal(run('audit', environmentOf('audit', { ...unreadable, DATABASE_URL: unproved })), [
      'DATABASE_URL: sslmode=require does not prove who answers: say sslmode=verify-full, or disable',
      'TLS_KEY_FILE: file /nowhere/tls.key cannot be read',
      'TLS_CA_FILE: file /nowhere/ca.crt cannot be read',
    ]);
    await expectRefusal(run('gateway', gatewayEnvironment(variables)), [
      `TLS_CERT_FILE: file ${cert} is of audit: its common name must be gateway`,
    ]);
    await expectStart(run('audit', environmentOf('audit', variables)));
  });
});

describe('the schema', () => {
  test('when it is newer than the code, then the service does not start, unless the step was the last one', async () => {
    const inSchema = (sql: string) =>
      withAdmin(database.adminUrl, async (client) => {
        await client.query('set search_path = requests');
        await client.query(sql);
      });
    await inSchema(`insert into schema_migration (name) values ('20991231000000_of_the_future')`);
    await expectRefusal(run('requests', environmentOf('requests')), [
      /^DATABASE_URL: the schema requests is newer than this release, which does not know 20991231000000_of_the_future: .*restore a backup/,
    ]);
    await inSchema(`comment on table schema_migration is '["20991231000000_of_the_future"]'`);
    await expectStart(run('requests', environmentOf('requests')));
    await inSchema(`delete from schema_migration where name = '20991231000000_of_the_future'; comment on table schema_migration is null`);
  });
});

describe('servers that are there, but not as they must be', () => {
  /** A Cerbos without policies, which can be started later. */
  const emptyCerbos = async () => {
    const folder = join(own, randomBytes(4).toString('hex'));
    mkdirSync(join(folder, 'policies'), { recursive: true });
    const [grpcPort, httpPort] = [await reserveFreePort(), await reserveFreePort()];
    const spec = prepareCerbos({ policies: join(folder, 'policies'), configFile: join(folder, 'cerbos.yaml'), grpcPort, httpPort });
    return { address: `127.0.0.1:${grpcPort.port}`, grpcPort, start: () => launch(spec) };
  };
  const refusal = (address: string) =>
    `CERBOS_ADDRESS: the Cerbos at ${address} has no policies of ours: let it serve the folder policies/ of this release`;

  test('when Cerbos has no policies, then neither a service nor the gateway starts', async () => {
    const { address, start } = await emptyCerbos();
    await start();
    await expectRefusal(run('audit', environmentOf('audit', { CERBOS_ADDRESS: address })), [refusal(address)]);
    await expectRefusal(run('gateway', gatewayEnvironment({ CERBOS_ADDRESS: address })), [refusal(address)]);
  });

  test('when Cerbos is away, then they start without, and end once it is there and has no policies', async () => {
    const { address, grpcPort, start } = await emptyCerbos();
    await grpcPort.release();
    const running = [
      run('audit', environmentOf('audit', { CERBOS_ADDRESS: address })),
      run('gateway', gatewayEnvironment({ CERBOS_ADDRESS: address, LOG_LEVEL: 'info' })),
    ];
    for (const { log } of running) await until(() => log().includes('listening'), { timeoutMs: 60_000 });
    await start();
    for (const { ended } of running) expect(await ended).toMatchObject({ code: 78, lines: [refusal(address)] });
  });

  test('when NATS has no JetStream, then a service does not start; when it is away, then it does', async () => {
    const port = await reserveFreePort();
    const { user, password } = { user: 'test', password: 'test' };
    const configFile = join(own, 'nats.conf');
    const spec = prepareNats({
      program: await findNatsServer(() => undefined),
      directory: join(own, 'nats'),
      configFile,
      port,
      users: [{ user, password }],
    });
    replaceFile(configFile, JSON.stringify({ host: '127.0.0.1', port: port.port, authorization: { users: [{ user, password }] } }));
    const url = `nats://127.0.0.1:${port.port}`;
    const environment = environmentOf('audit', { NATS_URL: url, NATS_USER: user, NATS_PASSWORD: password });
    await port.release();
    await expectStart(run('audit', environment));
    await launch(spec);
    await expectRefusal(run('audit', environment), [
      `NATS_URL: the NATS at ${url} has no JetStream: start it with \`jetstream\` in its configuration`,
    ]);
  });

  test('when several of them are wrong, then all of it is told at once', async () => {
    const { address, start } = await emptyCerbos();
    await start();
    await withAdmin(database.adminUrl, (client) =>
      client.query(`insert into audit.schema_migration (name) values ('20991231000000_of_the_future')`),
    );
    const { code, lines } = await run('audit', environmentOf('audit', { CERBOS_ADDRESS: address })).ended;
    await withAdmin(database.adminUrl, (client) => client.query(`delete from audit.schema_migration where name like '2099%'`));
    expect({ code, named: lines.map((line) => line.split(':')[0]).toSorted() }).toEqual({
      code: 78,
      named: ['CERBOS_ADDRESS', 'DATABASE_URL'],
    });
  });
});
