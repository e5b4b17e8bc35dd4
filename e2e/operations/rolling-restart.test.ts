import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Platform, servers, startPlatform } from '@accessops/dev';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../packages/testing/src/until.ts';
import { readBooks } from './books.ts';
import { type Deployment, startDeployment } from './deployment.ts';
import { type Connection, openConnection, type Script, startLoad } from './load.ts';

const connections = 50;
const askers = 20;
const instances = 2;
const rounds = 2;

let platform: Platform;
let database: pg.Client;
let connection: Connection;
const deployments: Deployment[] = [];

beforeAll(async () => {
  // Two cores are shared by fourteen processes, some of which are just starting: what is slow for a moment is not down.
  process.env.DECISION_TIMEOUT_MS = '30000';
  process.env.CALL_TIMEOUT_MS = '30000';
  // As in deploy/k8s.
  process.env.DRAIN_MS = '5000';
  const dataDir = mkdtempSync(join(tmpdir(), 'accessops-rolling-'));
  platform = await startPlatform({ dataDir, port: 0, limits: false, servers: false });
  const { environments, ports } = platform;
  for (const name of servers)
    deployments.push(await startDeployment({ name, instances, port: ports[name], environments, logs: join(dataDir, 'logs') }));
  database = new pg.Client({ connectionString: platform.adminUrl });
  await database.connect();
  connection = openConnection(platform.url);
});

afterAll(async () => {
  connection?.close();
  await database?.end();
  for (const deployment of deployments.toReversed()) await deployment.close();
  await platform?.stop();
});

const must = async (status: number, method: string, path: string, token?: string, body?: unknown) => {
  const answer = await connection.call(method, path, token, body);
  if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};

const password = 'Quarry-rolling-restart-7';

const signIn = async (email: string, audience: string) =>
  String((await must(200, 'POST', '/auth/login', undefined, { email, password, audience })).accessToken);

/** An organisation with things to ask for, and the tokens of those who ask and answer. */
const makeTenant = async () => {
  const organization = { name: 'Rolling', slug: 'rolling' };
  const person = { firstName: 'Ada', lastName: 'Admin', password };
  await must(201, 'POST', '/auth/register', undefined, { ...person, email: 'admin@rolling.test', organization });
  const admin = await signIn('admin@rolling.test', 'org-admin');
  const names = { requester: ['requester'], approver: ['approver'] };
  for (const [name, orgRoles] of Object.entries(names))
    await must(201, 'POST', '/org/users', admin, { ...person, email: `${name}@rolling.test`, orgRoles });
  const type = { key: 'thing', name: 'Thing', connector: 'simulated', roles: ['reader'], sensitivity: 'medium', maxDuration: 'P1D' };
  const { id: resourceTypeId } = await must(201, 'POST', '/org/resource-types', admin, type);
  return {
    admin,
    requester: await signIn('requester@rolling.test', 'app'),
    approver: await signIn('approver@rolling.test', 'app'),
    newResource: async () => {
      const key = `thing-${crypto.randomUUID()}`;
      return String((await must(201, 'POST', '/org/resources', admin, { key, name: key, resourceTypeId })).id);
    },
  };
};

test(`when each process is replaced ${rounds} times while ${connections} connections are busy, then no request fails, and nothing is lost or doubled`, async () => {
  const { admin, requester, approver, newResource } = await makeTenant();
  const resources: string[] = [];
  for (let index = 0; index < askers; index++) resources.push(await newResource());
  const obtained: string[] = [];

  const read: Script = async (call) => {
    const [first] = (await call(200, 'GET', '/requests/me?limit=20', requester)).items ?? [];
    if (first) await call(200, 'GET', `/requests/${first.id}`, requester);
    await call(200, 'GET', '/catalog/resources?limit=20', requester);
    await call(200, 'GET', '/me', approver);
    await call(200, 'GET', '/approvals/pending?limit=20', approver);
    await call(200, 'GET', '/grants/me?limit=20', requester);
    await call(200, 'GET', '/org/audit?limit=20', admin);
    await call(200, 'GET', '/org/jobs?limit=20', admin);
  };
  /** Asks for access, has it granted, waits until it is there, and gives it back. */
  const obtain =
    (resourceId: string): Script =>
    async (call) => {
      const wish = { resourceId, role: 'reader', justification: 'While all is replaced', duration: 'PT2H' };
      const { id } = await call(201, 'POST', '/requests', requester, wish);
      await call(200, 'POST', `/requests/${id}/approve`, approver, { comment: 'go on' });
      obtained.push(String(id));
      let status = '';
      do status = String((await call(200, 'GET', `/requests/${id}`, requester)).status);
      while (status !== 'ACTIVE');
      await call(200, 'POST', `/requests/${id}/withdraw`, requester);
      do status = String((await call(200, 'GET', `/requests/${id}`, requester)).status);
      while (status !== 'REVOKED');
    };

  const load = startLoad(platform.url, [...resources.map(obtain), ...Array.from({ length: connections - askers }, () => read)]);
  const startedAt = performance.now();
  for (let round = 1; round <= rounds; round++) for (const deployment of deployments) await deployment.restart();
  const { failed, ...figures } = await load.stop();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  const books = await until(
    async () => {
      const read = await readBooks(database);
      return read.lost.length === 0 && read;
    },
    { timeoutMs: 60_000, what: 'everything to settle' },
  ).catch(() => readBooks(database));
  const replaced = rounds * instances * deployments.length;
  const { lost, doubled, ...recorded } = books;
  const counts = { ...recorded, requests: obtained.length, failed: failed.length, lost: lost.length, doubled: doubled.length };
  process.stdout.write(`rolling restart: ${JSON.stringify({ connections, replaced, seconds, ...figures, ...counts })}\n`);
  expect({ failed, lost, doubled }).toEqual({ failed: [], lost: [], doubled: [] });

  const { rows } = await database.query<{ id: string; status: string }>('select id, status from requests.access_request');
  expect(rows.map(({ id }) => id).sort()).toEqual(obtained.sort());
  expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(['REVOKED']));
  expect(await must(200, 'GET', '/org/audit/verify', admin)).toMatchObject({ ok: true });
});
