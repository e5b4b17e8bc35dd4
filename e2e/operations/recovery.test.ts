import { randomUUID } from 'node:crypto';
import { appendFileSync, chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  demoDatabase,
  demoDatabaseLogin,
  findPostgresTools,
  makeDemoDatabase,
  openDataPaths,
  openSecrets,
  type Platform,
  postgresUrl,
  root,
  runProgram,
  startPlatform,
} from '@accessops/dev';
import { connect } from 'nats';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../packages/testing/src/until.ts';
import { readBooks } from './books.ts';
import { type Answer, openConnection } from './load.ts';
import { giveTo, type OwnPostgres, startOwnPostgres } from './own-postgres.ts';

const inFlight = 20;
const password = 'Quarry-recovery-7';

const folder = mkdtempSync(join(tmpdir(), 'accessops-recovery-'));
const dataDir = join(folder, 'platform');
const archive = join(folder, 'wal');
const backup = join(folder, 'base');
// The second is that of the demo, a target that `npm start` brings along.
const databases = ['accessops', 'prod'];
const dumpOf = (database: string) => join(folder, `${database}.dump`);
const roles = join(folder, 'roles.sql');

let tools: string;
let target: OwnPostgres;
let platform: Platform;

/** Runs a program as an operator would; fails with what it says. */
const run = async (program: string, args: string[], env: Record<string, string> = {}): Promise<string> => {
  const { code, output } = await runProgram(program, args, { env, timeoutMs: 120_000 });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}`);
  return output;
};

const tool = (name: string, server: { port: number; password: string }, ...args: string[]) =>
  run(join(tools, name), ['--host=127.0.0.1', `--port=${server.port}`, '--username=postgres', ...args], { PGPASSWORD: server.password });

const ask = async <R extends pg.QueryResultRow>(url: string, sql: string, values: unknown[] = []): Promise<R[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(sql, values)).rows;
  } finally {
    await client.end();
  }
};

const call = async (method: string, path: string, token?: string, body?: unknown): Promise<Answer> => {
  const connection = openConnection(platform.url);
  try {
    return await connection.call(method, path, token, body);
  } finally {
    connection.close();
  }
};

const must = async (status: number, method: string, path: string, token?: string, body?: unknown): Promise<Answer['body']> => {
  const answer = await call(method, path, token, body);
  if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}, wanted ${status}`);
  return answer.body;
};

const start = async () => {
  platform = await startPlatform({ dataDir, port: 0, limits: false, seed: false });
};

const postgres = () => ({ port: platform.ports.postgres, password: platform.secrets.postgres });

const signIn = async (name: string, audience = 'app') => {
  const body = { email: `${name}@recovery.test`, password, audience };
  return String((await must(200, 'POST', '/auth/login', undefined, body)).accessToken);
};

interface People {
  admin: string;
  requester: string;
  approver: string;
}

const signInAll = async (): Promise<People> => ({
  admin: await signIn('admin', 'org-admin'),
  requester: await signIn('requester'),
  approver: await signIn('approver'),
});

let resourceTypeId = '';

const makeTenant = async (): Promise<People> => {
  const person = { firstName: 'Ada', lastName: 'Admin', password };
  const organization = { name: 'Recovery', slug: 'recovery' };
  await must(201, 'POST', '/auth/register', undefined, { ...person, email: 'admin@recovery.test', organization });
  const admin = await signIn('admin', 'org-admin');
  for (const [name, orgRoles] of [
    ['requester', ['requester']],
    ['approver', ['approver']],
    ['leaver', ['requester']],
  ] as const)
    await must(201, 'POST', '/org/users', admin, { ...person, email: `${name}@recovery.test`, orgRoles });
  const type = { key: 'away', name: 'Away', roles: ['reader'], sensitivity: 'medium', maxDuration: 'P1D', connector: 'postgres' };
  const config = { login: 'away', roles: { reader: ['prod_reader'] } };
  resourceTypeId = String((await must(201, 'POST', '/org/resource-types', admin, { ...type, config })).id);
  return signInAll();
};

const newResource = async ({ admin }: People): Promise<string> => {
  const key = `away-${randomUUID()}`;
  return String((await must(201, 'POST', '/org/resources', admin, { key, name: key, resourceTypeId })).id);
};

const fileFor = async ({ requester }: People, resourceId: string): Promise<string> => {
  const wish = { resourceId, role: 'reader', justification: 'Before or after the moment', duration: 'PT8H' };
  return String((await must(201, 'POST', '/requests', requester, wish)).id);
};

const approve = async ({ approver }: People, id: string): Promise<void> => {
  await must(200, 'POST', `/requests/${id}/approve`, approver, { comment: 'go on' });
};

const isActive = ({ requester }: People, id: string) =>
  until(async () => (await must(200, 'GET', `/requests/${id}`, requester)).status === 'ACTIVE', {
    timeoutMs: 60_000,
    what: `${id} active`,
  });

/** Roles that were made for grants at the target. */
const rolesAtTarget = async (): Promise<string[]> =>
  (
    await ask<{ name: string }>(
      target.urlOf('prod'),
      `select member.rolname as name from pg_auth_members join pg_roles as member on member.oid = member
       join pg_roles as given on given.oid = roleid where given.rolname = 'prod_reader' and member.rolcanlogin and member.rolname <> 'prod_accessops'`,
    )
  ).map(({ name }) => name);

/** Events of all streams, by their ids. */
const streamed = async (): Promise<string[]> => {
  const { ports, secrets } = platform;
  const connection = await connect({ servers: `nats://127.0.0.1:${ports.nats}`, user: 'platform', pass: secrets.nats.platform });
  const jsm = await connection.jetstreamManager();
  const ids: string[] = [];
  for await (const { config, state } of jsm.streams.list())
    for (let seq = state.first_seq; state.messages > 0 && seq <= state.last_seq; seq++)
      ids.push((await jsm.streams.getMessage(config.name, { seq })).header.get('ce-id'));
  await connection.close();
  return ids;
};

const told = async (): Promise<Set<string>> => {
  const sql = ['identity', 'requests', 'approvals', 'provisioner', 'audit']
    .map((name) => `select event_id from ${name}.outbox_event`)
    .join(' union all ');
  return new Set((await ask<{ event_id: string }>(platform.adminUrl, sql)).map(({ event_id }) => event_id));
};

beforeAll(async () => {
  const found = await findPostgresTools();
  if (!found) throw new Error('pg_basebackup and pg_dump of PostgreSQL 18 are needed here');
  tools = found;
  chmodSync(folder, 0o755);
  const secrets = openSecrets(openDataPaths(dataDir).secrets);
  const data = join(dataDir, 'data', 'postgres');
  target = await startOwnPostgres(join(folder, 'target'), 'target', join(folder, 'target.log'));
  const targetPassword = randomUUID();
  await makeDemoDatabase(target.urlOf('postgres'), targetPassword);
  process.env.CONNECTOR_POSTGRES_AWAY_URL = postgresUrl(target.port, demoDatabaseLogin, targetPassword, demoDatabase);
  process.env.CONNECTOR_POSTGRES_AWAY_TENANTS = 'recovery';
  process.env.DECISION_TIMEOUT_MS = '30000';
  process.env.CALL_TIMEOUT_MS = '30000';
  // The server's own settings, as an operator has them: each segment of the log goes to the archive.
  const fresh = await startOwnPostgres(data, secrets.postgres, join(folder, 'first.log'));
  await fresh.stop();
  mkdirSync(archive);
  giveTo(archive, data);
  appendFileSync(join(data, 'postgresql.conf'), `archive_mode = on\narchive_command = 'test ! -f ${archive}/%f && cp %p ${archive}/%f'\n`);
  await start();
});

afterAll(async () => {
  await platform?.stop();
  await target?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What operators run before the services start again. */
const recover = (server: OwnPostgres) =>
  run(process.execPath, [join(root, 'deploy', 'recover.ts')], { ADMIN_DATABASE_URL: server.urlOf('accessops') });

/** Puts the base backup in place of the database and has it brought forward to the moment; then what operators run before the services. */
const restoreTo = async (moment: string): Promise<void> => {
  const data = join(dataDir, 'data', 'postgres');
  rmSync(data, { recursive: true, force: true });
  cpSync(backup, data, { recursive: true });
  writeFileSync(join(data, 'recovery.signal'), '');
  appendFileSync(
    join(data, 'postgresql.auto.conf'),
    `restore_command = 'cp ${archive}/%f %p'\nrecovery_target_name = '${moment}'\nrecovery_target_action = 'promote'\n`,
  );
  chmodSync(data, 0o700);
  giveTo(data, archive);
  const alone = await startOwnPostgres(data, platform.secrets.postgres, join(folder, 'restore.log'));
  await until(async () => !(await ask<{ behind: boolean }>(alone.urlOf('postgres'), 'select pg_is_in_recovery() as behind'))[0]?.behind);
  await recover(alone);
  await alone.stop();
};

const settled = () =>
  until(
    async () => {
      const books = await readBooks(await connected());
      return books.lost.length === 0 && books;
    },
    { timeoutMs: 60_000, what: 'everything to settle' },
  ).catch(async () => readBooks(await connected()));

let reader: pg.Client | undefined;
const connected = async () => {
  await reader?.end().catch(() => undefined);
  reader = new pg.Client({ connectionString: platform.adminUrl });
  reader.on('error', () => undefined);
  await reader.connect();
  return reader;
};

test('when the database is lost and restored to a moment between two requests, then the platform goes on from there, with nothing lost or doubled', async () => {
  const people = await makeTenant();
  await tool('pg_basebackup', postgres(), `--pgdata=${backup}`, '--checkpoint=fast', '--wal-method=none');

  // Before the moment: one that has its access, one that waits for a vote, and some of which nobody knows how far they have come.
  const ofA = await newResource(people);
  const a = await fileFor(people, ofA);
  await approve(people, a);
  await isActive(people, a);
  const waiting = await fileFor(people, await newResource(people));
  const resources = await Promise.all(Array.from({ length: inFlight }, () => newResource(people)));
  const hurried = await Promise.all(
    resources.map(async (resource) => {
      const id = await fileFor(people, resource);
      await approve(people, id);
      return id;
    }),
  );
  await ask(platform.adminUrl, `select pg_create_restore_point('between')`);

  // After it: what will not have been, but for its access at the target.
  await Promise.all(hurried.map((id) => isActive(people, id)));
  const before = new Set(await rolesAtTarget());
  const b = await fileFor(people, await newResource(people));
  await approve(people, b);
  await isActive(people, b);
  const { items: [leaver] = [] } = await must(200, 'GET', '/org/users?filter[email][eq]=leaver@recovery.test', people.admin);
  await must(200, 'PATCH', `/org/users/${leaver?.id}`, people.admin, { active: false });
  const [roleOfB] = (await rolesAtTarget()).filter((name) => !before.has(name));
  expect(before.size).toBe(1 + inFlight);
  const ahead = (await streamed()).length;
  const [last] = await ask<{ segment: string }>(platform.adminUrl, 'select pg_walfile_name(pg_switch_wal()) as segment');
  await until(() => existsSync(join(archive, last?.segment ?? '')), { what: 'the archive to have it all' });
  await platform.stop();

  const figures: Record<string, unknown>[] = [];
  for (const streams of ['as they were', 'lost'] as const) {
    const startedAt = performance.now();
    if (streams === 'lost') rmSync(join(dataDir, 'data', 'nats'), { recursive: true, force: true });
    await restoreTo('between');
    await start();
    const seconds = Math.round((performance.now() - startedAt) / 1000);

    // Nobody is signed in any more: whose session had ended meanwhile, nobody knows.
    expect((await call('GET', '/me', people.requester)).status).toBe(401);
    const again = await signInAll();
    await Promise.all([a, ...hurried].map((id) => isActive(again, id)));
    expect((await call('GET', `/requests/${b}`, again.requester)).status).toBe(404);
    await approve(again, waiting);
    await isActive(again, waiting);

    // What was asked for after the moment is asked for anew; its access of before belongs to nobody, and is found.
    const anew = await fileFor(again, await newResource(again));
    await approve(again, anew);
    await isActive(again, anew);

    await must(202, 'POST', `/org/resources/${ofA}/reconcile`, again.admin);
    const drift = await until(
      async () => {
        const report = await must(200, 'GET', `/org/resources/${ofA}/drift`, again.admin);
        return report.status === 'SUCCEEDED' && report;
      },
      { timeoutMs: 30_000, what: 'the comparison with the target' },
    );
    expect(drift.foreign).toContainEqual(expect.objectContaining({ name: roleOfB }));

    const { lost, doubled, changes, audited } = await settled();
    expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
    const [known, inStreams] = [await told(), await streamed()];
    expect(inStreams.filter((id) => !known.has(id))).toEqual([]);
    expect(new Set(inStreams).size).toBe(inStreams.length);
    expect(await must(200, 'GET', '/org/audit/verify', again.admin)).toMatchObject({ ok: true });
    const grants = await ask(platform.adminUrl, `select id from provisioner.access_grant where status = 'ACTIVE'`);
    expect(grants).toHaveLength(1 + inFlight + 1 + 1);
    figures.push({ streams, seconds, changes, audited, grants: grants.length, lost: lost.length, doubled: doubled.length });
    await platform.stop();
  }
  // What had been in the stream that was ahead is told, for people to do again.
  const noted = readFileSync(join(dataDir, 'logs', 'requests.log'), 'utf8').split('\n');
  expect(noted.some((line) => line.includes('this happened after the moment') && line.includes(b))).toBe(true);
  process.stdout.write(`restore to a moment: ${JSON.stringify({ inFlight, streamedBefore: ahead, figures })}\n`);
}, 400_000);

test('when a dump is restored into an empty server, then the platform goes on with what was in it', async () => {
  await start();
  const before = await signInAll();
  const request = await fileFor(before, await newResource(before));
  await approve(before, request);
  const startedAt = performance.now();
  writeFileSync(roles, await tool('pg_dumpall', postgres(), '--roles-only'));
  for (const database of databases) await tool('pg_dump', postgres(), '--format=custom', `--file=${dumpOf(database)}`, database);
  await platform.stop();

  const data = join(dataDir, 'data', 'postgres');
  rmSync(data, { recursive: true, force: true });
  const empty = await startOwnPostgres(data, platform.secrets.postgres, join(folder, 'restore.log'));
  await tool('psql', empty, '--quiet', `--file=${roles}`, 'postgres');
  for (const database of databases) await tool('pg_restore', empty, '--create', '--exit-on-error', '--dbname=postgres', dumpOf(database));
  await recover(empty);
  await empty.stop();
  await start();
  const seconds = Math.round((performance.now() - startedAt) / 1000);

  const people = await signInAll();
  await isActive(people, request);
  const { lost, doubled, changes, audited } = await settled();
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  expect(await must(200, 'GET', '/org/audit/verify', people.admin)).toMatchObject({ ok: true });
  process.stdout.write(`restore of a dump: ${JSON.stringify({ seconds, changes, audited, lost: lost.length, doubled: doubled.length })}\n`);
}, 200_000);
