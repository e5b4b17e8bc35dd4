import { Writable } from 'node:stream';
import { createLogger } from '@accessops/telemetry';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Call, callTo, type Person, password, startTestGateway, startWorld, toldMs, type World } from './world.ts';

describe('who may come in', () => {
  let world: World;
  let call: Call;
  let slug: string;
  let admin: Person;
  let requester: Person;

  beforeAll(async () => {
    world = await startWorld();
    call = world.call;
    ({ slug, admin } = await world.organization());
    requester = await world.person(admin, slug, ['requester']);
  });
  afterAll(() => world.close());

  const brief = ({ status, body }: Answer) => [status, body.error?.code];
  const get = (path: string, token?: string, headers?: Record<string, string>) => call('GET', path, { token, headers });
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  test.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
    ['no token', { authorization: 'Bearer' }],
    ['two tokens', { authorization: 'Bearer a b' }],
    ['rubbish', { authorization: 'Bearer rubbish' }],
    ['an unsigned token', { authorization: `Bearer ${encode({ alg: 'none', typ: 'at+jwt' })}.${encode({ sub: 'x' })}.` }],
    ['a huge token', { authorization: `Bearer ${'x'.repeat(12_000)}` }],
  ])('when there is %s, then 401 with a challenge', async (_, headers) => {
    expect(brief(await get('/me', undefined, headers))).toEqual([401, 'INVALID_TOKEN']);
  });

  test('when a token is changed anywhere, then 401', async () => {
    const [head = '', payload = '', signature = ''] = requester.token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const forged = [
      `${head}.${encode({ ...claims, aud: ['accessops-admin'] })}.${signature}`,
      `${encode({ alg: 'HS256', typ: 'at+jwt' })}.${payload}.${signature}`,
      `${head}.${payload}.${signature.slice(0, -2)}AA`,
      `${head}.${payload}.`,
      requester.refreshToken,
    ];
    for (const token of forged) expect((await get('/me', token)).status).toBe(401);
  });

  test('when the scheme is written in lower case, then it counts', async () => {
    expect((await get('/me', undefined, { authorization: `bearer ${requester.token}` })).status).toBe(200);
  });

  test('when a token is for another namespace, then 403 AUDIENCE_NOT_ALLOWED', async () => {
    for (const path of ['/org/users', '/org/audit', '/admin/tenants', '/admin/dead-letters'])
      expect(brief(await get(path, requester.token))).toEqual([403, 'AUDIENCE_NOT_ALLOWED']);
    expect(brief(await get('/admin/tenants', admin.token))).toEqual([403, 'AUDIENCE_NOT_ALLOWED']);
    const root = await world.staff('platform-admin');
    expect(brief(await get('/org/users', root.token))).toEqual([403, 'AUDIENCE_NOT_ALLOWED']);
    expect((await get('/admin/tenants', root.token)).status).toBe(200);
  });

  test('when an org-admin token is used in the app namespace, then it counts there too', async () => {
    expect((await get('/requests', admin.token)).status).toBe(200);
  });

  test('when policy says no, then 403 PERMISSION_DENIED, whatever the body is', async () => {
    expect(brief(await get('/requests', requester.token))).toEqual([403, 'PERMISSION_DENIED']);
    const auditor = await world.person(admin, slug, ['auditor'], 'org-admin');
    const answer = await call('POST', '/org/teams', { token: auditor.token, body: '{{{' });
    expect(brief(answer)).toEqual([403, 'PERMISSION_DENIED']);
  });

  test('when somebody asks who they are, then permissions say what the routes would', async () => {
    const { body } = await get('/me', requester.token);
    expect(body.permissions).toEqual(expect.arrayContaining(['access_request:create', 'catalog:read', 'me:read']));
    expect(body.permissions).not.toContain('access_request:list_all');
    expect(body.permissions).not.toContain('user:list');
    const ofAdmin = (await get('/me', admin.token)).body.permissions;
    expect(ofAdmin).toEqual(expect.arrayContaining(['access_request:list_all', 'user:create', 'audit_event:export']));
    expect(ofAdmin).not.toContain('tenant:suspend');
  });

  test('when another tenant is named, then a stranger is refused', async () => {
    const other = await world.organization();
    expect(brief(await get('/me', requester.token, { 'x-tenant': other.slug }))).toEqual([403, 'NOT_A_MEMBER']);
    expect((await get('/me', requester.token, { 'x-tenant': slug })).status).toBe(200);
  });

  test('when a session ends, then its token is refused soon', async () => {
    const person = await world.person(admin, slug, ['requester']);
    expect((await get('/me', person.token)).status).toBe(200);
    expect((await call('POST', '/auth/logout', { body: { refreshToken: person.refreshToken } })).status).toBe(204);
    const refused = await until(
      async () => {
        const answer = await get('/me', person.token);
        return answer.status === 401 && answer;
      },
      { timeoutMs: toldMs, what: 'the end of the session' },
    );
    expect(refused.body.error?.code).toBe('SESSION_ENDED');
  });

  test('when a role is taken away, then what it allowed is refused soon', async () => {
    const person = await world.person(admin, slug, ['auditor', 'requester']);
    expect((await get('/requests', person.token)).status).toBe(200);
    expect((await call('PATCH', `/org/memberships/${person.id}`, { token: admin.token, body: { orgRoles: ['requester'] } })).status).toBe(
      200,
    );
    await until(async () => (await get('/requests', person.token)).status === 403, { timeoutMs: toldMs });
  });

  test('when somebody is deactivated, then the token is refused soon', async () => {
    const person = await world.person(admin, slug, ['requester']);
    expect((await get('/me', person.token)).status).toBe(200);
    expect((await call('DELETE', `/org/users/${person.id}`, { token: admin.token })).status).toBe(204);
    await until(async () => (await get('/me', person.token)).status === 401, { timeoutMs: toldMs });
  });

  test('when a tenant is suspended, then its people get 403 soon, and come back with it', async () => {
    const other = await world.organization();
    const root = await world.staff('platform-admin');
    expect((await get('/me', other.admin.token)).status).toBe(200);
    expect((await call('POST', `/admin/tenants/${other.id}/suspend`, { token: root.token })).body).toMatchObject({ status: 'SUSPENDED' });
    await until(async () => (await get('/me', other.admin.token)).body.error?.code === 'TENANT_SUSPENDED', { timeoutMs: toldMs });
    expect((await call('POST', `/admin/tenants/${other.id}/activate`, { token: root.token })).body).toMatchObject({ status: 'ACTIVE' });
    await until(async () => (await get('/me', other.admin.token)).status === 200, { timeoutMs: toldMs });
  });

  test('when X-Request-Id is sent, then it comes back; otherwise there is a new one', async () => {
    expect((await get('/me', requester.token, { 'x-request-id': 'mine-1' })).headers['x-request-id']).toBe('mine-1');
    expect((await get('/me', undefined, { 'x-request-id': 'not mine' })).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('when a call is answered, then one line of the log and one observation tell of it, without any secret', async () => {
    const lines: string[] = [];
    const destination = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(...chunk.toString().trimEnd().split('\n'));
        done();
      },
    });
    const log = createLogger('gateway', 'info', destination);
    const gateway = await startTestGateway(world.addresses, { EVENTS_NAMESPACE: world.namespace }, { log });
    const other = callTo(gateway.url);
    const person = await world.person(admin, slug, ['requester']);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { 'x-request-id': 'logged-1', traceparent };
    await other('POST', '/auth/login', { body: { email: person.email, password, tenant: slug }, headers: { 'x-request-id': 'logged-0' } });
    await other('GET', `/requests/${person.id}?x=${person.token}`, { token: person.token, headers });
    await other('GET', `/nowhere/${person.token}`, { token: person.token, headers: { 'x-request-id': 'logged-2' } });
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ message }) => message === 'request');
    expect(told).toMatchObject([
      { request_id: 'logged-0', route: '/api/v1/auth/login', method: 'POST', status: 200, actor: 'anonymous', tenant: '' },
      {
        request_id: 'logged-1',
        trace_id: '0af7651916cd43dd8448eb211c80319c',
        actor: person.id,
        tenant: expect.stringMatching(/^[0-9a-f-]{36}$/),
        route: '/api/v1/requests/{id}',
        method: 'GET',
        status: 404,
        decision_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        // The policies of the repository are no bundle.
        policy_version: 'none',
        outcome: 'REQUEST_NOT_FOUND',
        duration_ms: expect.any(Number),
      },
      { request_id: 'logged-2', route: 'unmatched', status: 404, outcome: 'ROUTE_NOT_FOUND' },
    ]);
    for (const secret of [password, person.token, person.refreshToken]) expect(lines.join()).not.toContain(secret);
    const metrics = (await other('GET', '//metrics')).text;
    expect(metrics).toContain('accessops_http_request_duration_seconds_count{route="/api/v1/requests/{id}",method="GET",status="404"} 1');
    expect(metrics).toContain('process_cpu_seconds_total');
    const body = (await other('GET', '//metrics', { headers: { accept: 'application/openmetrics-text' } })).text;
    expect(body).toMatch(
      /^accessops_http_request_duration_seconds_bucket.* # \{trace_id="0af7651916cd43dd8448eb211c80319c"\} [\d.]+ [\d.]+$/m,
    );
    expect(body).toMatch(/\n# EOF\n$/);
    await gateway.close();
  });

  test('when metrics have a place of their own, then they are told there, and not where everybody comes', async () => {
    const own = { EVENTS_NAMESPACE: world.namespace, METRICS_LISTEN: '127.0.0.1:0' };
    const gateway = await startTestGateway(world.addresses, own);
    expect((await callTo(gateway.url)('GET', '//metrics')).status).toBe(404);
    const metrics = await fetch(`http://${gateway.metricsAddress}/metrics`);
    expect(await metrics.text()).toContain('accessops_http_request_duration_seconds_count{route="unmatched",method="GET",status="404"} 1');
    await gateway.close();
    await expect(fetch(`http://${gateway.metricsAddress}/metrics`)).rejects.toThrow();
  });
});
