import { untilWithin } from '@accessops/testing';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, decide, filed, login, must, type Person, reaches, rememberSecret, Tenant, until } from './client.ts';

const demoPassword = 'accessops-demo-2026';

describe('the production database of the demo', () => {
  let requester: Person;
  let approvers: Person[];
  let admin: Person;
  let resourceId: string;

  const demo = async (name: string, audience?: string): Promise<Person> => {
    const email = `${name}@acme.test`;
    const { body } = await login(email, demoPassword, audience);
    return { id: '', email, password: demoPassword, token: String(body.accessToken), refreshToken: String(body.refreshToken) };
  };

  beforeAll(async () => {
    [requester, admin, ...approvers] = await Promise.all([
      demo('requester'),
      demo('admin', 'org-admin'),
      demo('approver1'),
      demo('approver2'),
    ]);
    const { items } = await must(200, 'GET', '/catalog/resources?filter[key][eq]=prod-db', { token: requester.token });
    resourceId = items?.[0]?.id ?? '';
  });

  const approved = async (requestId: string): Promise<string> => {
    for (const approver of approvers) await decide(approver, requestId);
    const { grantId } = await reaches(requester, requestId, 'ACTIVE');
    return String(grantId);
  };
  const credentialOf = async (grantId: string) => {
    const answer = await must(200, 'POST', `/grants/${grantId}/credential`, { token: requester.token, body: {} });
    const credential = answer.credential as { host: string; port: number; database: string; username: string; password: string };
    rememberSecret(credential.password);
    return credential;
  };
  const granted = async (role: string, duration: string) => {
    const { id: requestId } = await filed(requester, resourceId, { role, duration });
    const plan = () => must(200, 'GET', `/requests/${requestId}/plan`, { token: approvers[0]?.token });
    await until('the plan is there', async () => (await plan()).status === 'READY');
    const { steps } = await plan();
    const grantId = await approved(requestId);
    const credential = await credentialOf(grantId);
    // What those who decided were shown is who logs in.
    expect(String(steps)).toContain(credential.username);
    return { requestId, grantId, credential };
  };

  type Credential = Awaited<ReturnType<typeof granted>>['credential'];

  const connect = async ({ username: user, ...credential }: Credential) => {
    const client = new pg.Client({ ...credential, user });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };

  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'ok',
      (error: { code?: string }) => error.code ?? 'lost',
    );

  test.each([
    ['reader', 'PT20S', 'expiry', () => Promise.resolve()],
    [
      'writer',
      'PT1H',
      'withdrawal',
      ({ requestId }: { requestId: string }) => must(200, 'POST', `/requests/${requestId}/withdraw`, { token: requester.token, body: {} }),
    ],
    [
      'reader',
      'PT1H',
      'revocation',
      ({ grantId }: { grantId: string }) => must(200, 'POST', `/org/grants/${grantId}/revoke`, { token: admin.token, body: {} }),
    ],
  ])(
    'when a %s has access for %s, then it logs in, can do what the role can, and is out within 5 s of the %s',
    async (role, duration, _, finish) => {
      const grant = await granted(role, duration);
      const client = await connect(grant.credential);
      const can = (sql: string) => codeOf(client.query(sql));
      try {
        expect(await can('select * from customer')).toBe('ok');
        expect(await can(`update customer set city = city`)).toBe(role === 'writer' ? 'ok' : '42501');
        for (const sql of [
          'drop table customer',
          'create table public.mine (id int)',
          'create role mine',
          'select * from accessops.access',
        ])
          expect([sql, await can(sql)]).toEqual([sql, '42501']);
        for (const database of ['accessops', 'postgres', 'template1'])
          expect(await codeOf(connect({ ...grant.credential, database }))).toBe('42501');
        await finish(grant);
        const { expiresAt } = await must(200, 'GET', `/grants/${grant.grantId}`, { token: requester.token });
        if (duration !== 'PT1H') await until('the time is over', async () => Date.now() >= Date.parse(String(expiresAt)));
        const isIn = async () => (await can('select 1')) === 'ok';
        const getsIn = async () => !(await codeOf(connect(grant.credential).then((late) => late.end()))).startsWith('28');
        await untilWithin(5000, 'the end of the session, and of all others', async () => !(await isIn()) && !(await getsIn()));
      } finally {
        await client.end();
      }
    },
  );

  test('when access is extended, then what is logged in stays in beyond the first end, and both requests end together', async () => {
    const { requestId, grantId, credential } = await granted('reader', 'PT20S');
    const client = await connect(credential);
    try {
      const grant = () => must(200, 'GET', `/grants/${grantId}`, { token: requester.token });
      const firstEnd = Date.parse(String((await grant()).expiresAt));
      const extension = await must(200, 'POST', `/requests/${requestId}/extend`, { token: requester.token, body: { duration: 'PT1H' } });
      expect(extension).toMatchObject({ extendsRequestId: requestId, status: 'PENDING', requiredApprovals: 2 });
      expect(await approved(String(extension.id))).toBe(grantId);
      expect(Date.parse(String((await grant()).expiresAt)) - firstEnd).toBe(3_600_000);
      await until('the first end is over', async () => Date.now() > firstEnd + 500);
      expect(await codeOf(client.query('select * from customer'))).toBe('ok');
      await connect(credential).then((late) => late.end());
      await must(200, 'POST', `/org/grants/${grantId}/revoke`, { token: admin.token, body: {} });
      for (const id of [requestId, String(extension.id)]) await reaches(requester, id, 'REVOKED');
      expect(await codeOf(connect(credential))).toMatch(/^28/);
    } finally {
      await client.end();
    }
  });

  test('when an unread credential is issued anew, then the new one logs in, and once it is read there is no other', async () => {
    const { id: requestId } = await filed(requester, resourceId, { role: 'reader', duration: 'PT1H' });
    const grantId = await approved(requestId);
    const reissue = () => call('POST', `/grants/${grantId}/credential/reissue`, { token: requester.token, body: {} });
    const { status, body: job } = await reissue();
    expect([status, job.kind]).toEqual([200, 'ROTATE']);
    await until(
      'the job is done',
      async () => (await must(200, 'GET', `/jobs/${job.id}/status`, { token: requester.token })).status === 'SUCCEEDED',
    );
    const credential = await credentialOf(grantId);
    await connect(credential).then((client) => client.end());
    expect((await reissue()).body.error?.code).toBe('CREDENTIAL_ALREADY_READ');
    await must(200, 'POST', `/requests/${requestId}/withdraw`, { token: requester.token, body: {} });
    await reaches(requester, requestId, 'REVOKED');
    expect(await codeOf(connect(credential))).toMatch(/^28/);
  });

  test('when a connection is checked, then people read what to put right, and other tenants learn nothing', async () => {
    const body = { connector: 'postgres', config: { login: 'prod', roles: { reader: ['prod_reader'], writer: ['prod_writter'] } } };
    const check = (token: string, more: object) => must(200, 'POST', '/org/connectors/check', { token, body: { ...body, ...more } });
    expect(await check(admin.token, { roles: ['reader'] })).toEqual({ ok: true, problems: [] });
    expect(await check(admin.token, { roles: ['reader', 'writer'] })).toEqual({
      ok: false,
      problems: [{ pointer: '/config/roles/writer/0', message: 'does not exist at the target' }],
    });
    const stranger = await Tenant.create();
    for (const login of ['prod', 'no-such']) {
      expect(await check(stranger.admin.token, { config: { ...body.config, login }, roles: ['reader'] })).toEqual({
        ok: false,
        problems: [{ pointer: '/config/login', message: 'is no login that this organisation may use' }],
      });
    }
    expect((await call('POST', '/org/connectors/check', { token: requester.token, body: { ...body, roles: ['reader'] } })).status).toBe(
      403,
    );
  });
});

test('when a resource type is configured wrongly, then it is not saved, and each wrong field is named', async () => {
  const { org } = await Tenant.create().then((tenant) => ({ org: tenant.org.bind(tenant) }));
  const type = { key: 'db', name: 'Database', roles: ['reader'], sensitivity: 'low', maxDuration: 'PT1H', connector: 'postgres' };
  const pointersOf = async (fields: object) => {
    const { status, body } = await org('POST', '/resource-types', { ...type, ...fields });
    return [status, (body.errors as { pointer: string }[]).map(({ pointer }) => pointer)];
  };
  expect(await pointersOf({})).toEqual([422, ['/config/login', '/config/roles']]);
  expect(await pointersOf({ config: { login: 'prod', roles: { reader: ['pg_read_all_data'] }, password: 'x' } })).toEqual([
    422,
    ['/config/roles/reader/0', '/config/password'],
  ]);
  const saved = await org('POST', '/resource-types', { ...type, config: { login: 'prod', roles: { reader: ['r'] } } });
  expect(saved.status).toBe(201);
  const changed = await org('PATCH', `/resource-types/${saved.body.id}`, { roles: ['reader', 'writer'] });
  expect([changed.status, changed.body.errors]).toMatchObject([422, [{ pointer: '/config/roles/writer' }]]);
  const { items } = (await org('GET', '/connectors')).body;
  expect(items).toEqual(
    expect.arrayContaining([expect.objectContaining({ name: 'simulated' }), expect.objectContaining({ name: 'postgres' })]),
  );
});

test('when an answer of a target comes in that nobody has signed, then it is refused, whatever access it names', async () => {
  const key = crypto.randomUUID();
  const answer = await call('POST', `//webhooks/access/${key}`, { body: { type: 'access.answered', data: { key } } });
  expect([answer.status, answer.body.error?.code]).toEqual([400, 'WEBHOOK_SIGNATURE_INVALID']);
});
