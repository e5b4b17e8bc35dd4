import { newId } from '@accessops/db';
import { connect, Metadata, type ServiceClient } from '@accessops/grpc';
import { TenantCreatedSchema, UserCreatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { createDatabase, mintPrincipal, serviceEnvironment, type TestDatabase, until } from '@accessops/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startIdentity } from '../../identity/src/app.ts';
import { configFrom as identityConfig } from '../../identity/src/config.ts';
import { type MailServer, startMailServer } from '../../identity/test/mail-server.ts';
import { startRequests } from '../../requests/src/app.ts';
import { configFrom as requestsConfig } from '../../requests/src/config.ts';
import { end, spawnProvisioner } from './child.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { person, type Suite, startSuite } from './suite.ts';

// A process that starts takes a while on a busy machine, and the lease of a dead worker lasts 10 s.
const patience = 40_000;

let suite: Suite;
let mail: MailServer;
let neighbours: TestDatabase;
let catalog: pg.Pool;
let proxy: FaultProxy;
let identity: ServiceClient<typeof IdentityService>;
const running: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  mail = await startMailServer();
  [suite, neighbours] = await Promise.all([startSuite({ instances: 0 }), createDatabase(['identity', 'requests'])]);
  const namespace = suite.environment.EVENTS_NAMESPACE ?? '';
  const environment = (name: 'identity' | 'requests') =>
    serviceEnvironment(name, { database: neighbours, namespace, overrides: { SMTP_URL: mail.url } });
  const [people, requests] = await Promise.all([
    startIdentity(identityConfig(environment('identity'))),
    startRequests(requestsConfig(environment('requests'))),
  ]);
  running.push(people, requests);
  proxy = await startFaultProxy(Number(requests.address.split(':').at(-1)));
  suite.environment.IDENTITY_ADDRESS = people.address;
  suite.environment.REQUESTS_ADDRESS = `127.0.0.1:${proxy.port}`;
  identity = connect(IdentityService, people.address);
  catalog = new pg.Pool({ connectionString: neighbours.adminUrl, options: '-c search_path=requests', max: 2 });
  await suite.start();
}, 120_000);
afterAll(async () => {
  identity.close();
  await suite.close();
  await proxy.close();
  for (const service of running) await service.close();
  await catalog.end();
  await neighbours.drop();
  await mail.stop();
});

const jobOf = async (tenantId: string, kind: string) =>
  (await suite.sql.query('select * from job where tenant_id = $1 and kind = $2', [tenantId, kind])).rows;
const jobIs = (tenantId: string, kind: string, status: string) =>
  until(
    async () => {
      const [job] = await jobOf(tenantId, kind);
      return job?.status === status && job;
    },
    { timeoutMs: patience, what: `a job ${kind} that is ${status}` },
  );
const sandboxesOf = async (tenantId: string) =>
  (
    await catalog.query(
      `select r.key, t.connector, t.key as type from resource r join resource_type t on t.id = r.type_id where r.tenant_id = $1`,
      [tenantId],
    )
  ).rows;
const register = async () => {
  const slug = `org-${newId()}`;
  const metadata = new Metadata();
  const anonymous = { type: 'anonymous', id: 'anonymous', audience: 'public' } as const;
  metadata.set('authorization', `Bearer ${await mintPrincipal(anonymous)}`);
  const email = `${slug}@people.test`;
  const organization = { name: 'Lovelace Engines', slug };
  const body = { email, password: 'quarry lamp seven bridges', firstName: 'Ada', lastName: 'Doe', organization };
  const { user, tenant } = await identity.register(body, { metadata, deadlineMs: 20_000 });
  return { email, userId: user?.id ?? '', tenantId: tenant?.id ?? '' };
};
const welcomes = (address: string) => mail.received.filter(({ to, head }) => to === address && /^Subject: Welcome/m.test(head));

describe('a new tenant', () => {
  test('when somebody registers an organisation, then they are welcomed and a sandbox is in its catalog, each by a job', async () => {
    const { email, userId, tenantId } = await register();
    await jobIs(tenantId, 'TENANT_DEFAULTS', 'SUCCEEDED');
    expect(await sandboxesOf(tenantId)).toEqual([{ key: 'sandbox', connector: 'simulated', type: 'sandbox' }]);
    expect(await suite.actions(tenantId)).toEqual(['TENANT_PROVISIONED']);
    const job = await jobIs(tenantId, 'WELCOME_MAIL', 'SUCCEEDED');
    expect(welcomes(email)).toHaveLength(1);
    expect(welcomes(email)[0]?.text).toMatch(/^Hello Ada,\n\nwelcome to Lovelace Engines on AccessOps\./);
    const newcomer = await suite.as({ ...person(tenantId, 'admin'), id: userId });
    expect(await newcomer.getJob({ id: job.id })).toMatchObject({ kind: 'WELCOME_MAIL', queue: 'low', status: 'SUCCEEDED', requestId: '' });
    const { items } = await newcomer.listJobs({});
    expect(items.map(({ kind }) => kind).sort()).toEqual(['TENANT_DEFAULTS', 'WELCOME_MAIL']);
    expect(await suite.actions(job.id)).toEqual(['JOB_QUEUED', 'JOB_STARTED', 'JOB_SUCCEEDED']);
  });

  test('when the same is told again, even as another event, then it is done once', async () => {
    const { email, userId, tenantId } = await register();
    await jobIs(tenantId, 'TENANT_DEFAULTS', 'SUCCEEDED');
    await jobIs(tenantId, 'WELCOME_MAIL', 'SUCCEEDED');
    const last = newId();
    await suite.tell('identity', TenantCreatedSchema, { tenantId, slug: 'again' }, { aggregateId: tenantId, tenantId });
    await suite.tell('identity', UserCreatedSchema, { user: { id: userId } }, { aggregateId: tenantId, tenantId, eventId: last });
    await until(async () => (await suite.sql.query('select 1 from inbox_event where event_id = $1', [last])).rowCount);
    expect(await Promise.all(['TENANT_DEFAULTS', 'WELCOME_MAIL'].map(async (kind) => (await jobOf(tenantId, kind)).length))).toEqual([
      1, 1,
    ]);
    expect(welcomes(email)).toHaveLength(1);
    expect(await suite.actions(tenantId)).toEqual(['TENANT_PROVISIONED']);
  });

  test('when the catalog has a sandbox already, then that one stays', async () => {
    const tenantId = newId();
    const insert = `insert into resource_type (id, tenant_id, key, name, connector, roles, sensitivity, pii, max_duration, exclusive, config, parameters_schema, created_at, updated_at)
      values ($1, $2, 'sandbox', 'Ours', 'simulated', '{reader}', 'low', false, 'PT1H', false, '{}', '{}', now(), now())`;
    await catalog.query(insert, [newId(), tenantId]);
    await suite.tell('identity', TenantCreatedSchema, { tenantId, slug: 'own' }, { aggregateId: tenantId, tenantId });
    await jobIs(tenantId, 'TENANT_DEFAULTS', 'SUCCEEDED');
    expect(await sandboxesOf(tenantId)).toEqual([]);
    expect(await suite.actions(tenantId)).toEqual(['TENANT_PROVISIONED']);
  });

  test('when the mailbox is refused, then the job has failed with the reason, and an admin can run it again', async () => {
    mail.refuses = (address) => address.startsWith('org-');
    const { email, tenantId } = await register();
    const { id } = await jobIs(tenantId, 'WELCOME_MAIL', 'FAILED');
    mail.refuses = () => false;
    const admin = await suite.as(person(tenantId, 'admin'));
    expect(await admin.getJob({ id })).toMatchObject({ attempts: 1, lastError: 'The mail server does not take mails for this address.' });
    await admin.retryJob({ id });
    await jobIs(tenantId, 'WELCOME_MAIL', 'SUCCEEDED');
    expect(welcomes(email)).toHaveLength(1);
  });
});

describe('a worker that is lost', () => {
  test('when it is killed after the catalog had its first part, then another one makes the rest, and everything is there once', {
    timeout: 120_000,
  }, async () => {
    const tenantId = newId();
    await suite.stopAll();
    proxy.set({ kind: 'no-answer', sent: /simulated/ });
    const child = spawnProvisioner(suite);
    await suite.tell('identity', TenantCreatedSchema, { tenantId, slug: 'killed' }, { aggregateId: tenantId, tenantId });
    await until(async () => (await catalog.query('select 1 from resource_type where tenant_id = $1', [tenantId])).rowCount, {
      timeoutMs: patience,
      what: 'a type of resource',
    });
    await end(child, 'SIGKILL');
    expect((await jobOf(tenantId, 'TENANT_DEFAULTS'))[0]).toMatchObject({ status: 'RUNNING', attempts: 1 });
    proxy.set({ kind: 'none' });
    await suite.start();
    expect(await jobIs(tenantId, 'TENANT_DEFAULTS', 'SUCCEEDED')).toMatchObject({ attempts: 2 });
    expect(await sandboxesOf(tenantId)).toHaveLength(1);
    expect((await catalog.query('select 1 from resource_type where tenant_id = $1', [tenantId])).rowCount).toBe(1);
    expect(await suite.actions(tenantId)).toEqual(['TENANT_PROVISIONED']);
  });
});
