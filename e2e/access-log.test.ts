import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { call, login, must, type Person, Tenant, until } from './client.ts';

const demoPassword = 'accessops-demo-2026';

type Line = Record<string, unknown>;

/** The line of the gateway's log about a call. */
const lineOf = (requestId: string): Promise<Line> =>
  until(`a line about ${requestId}`, async () => {
    const file = join(inject('dataDir'), 'logs', 'gateway.log');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    const found = lines.find((line) => line.includes(`"request_id":"${requestId}"`) && line.includes('"message":"request"'));
    return found !== undefined && (JSON.parse(found.slice(found.indexOf('{'))) as Line);
  });

describe('the log of what was asked', () => {
  let tenant: Tenant;
  let requester: Person;
  beforeAll(async () => {
    tenant = await Tenant.create('log');
    requester = await tenant.person('requester', ['requester']);
  });

  const ask = async (path: string, options: { token?: string; body?: unknown; headers?: Record<string, string> } = {}) => {
    const requestId = `log-${randomBytes(8).toString('hex')}`;
    const traceId = randomBytes(16).toString('hex');
    const headers = { ...options.headers, 'x-request-id': requestId, traceparent: `00-${traceId}-00f067aa0ba902b7-00` };
    await call(options.body === undefined ? 'GET' : 'POST', path, { ...options, headers });
    return { traceId, requestId, line: await lineOf(requestId) };
  };

  test('when a call is answered, then its line says who asked what in which tenant, who decided by which policies, and what came of it', async () => {
    const { line, requestId, traceId } = await ask('/catalog/resources?limit=1', { token: requester.token });
    const root = await login('root@accessops.test', demoPassword, 'admin');
    const { version } = await must(200, 'GET', '/admin/policies/version', { token: String(root.body.accessToken) });
    expect(version).toMatch(/^[0-9a-f]{64}$/);
    expect(line).toMatchObject({
      level: 'info',
      service: 'gateway',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      request_id: requestId,
      trace_id: traceId,
      actor: requester.id,
      tenant: tenant.id,
      route: '/api/v1/catalog/resources',
      method: 'GET',
      status: 200,
      decision_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      policy_version: version,
      outcome: 'ok',
      duration_ms: expect.any(Number),
    });
  });

  test('when a call is refused, then its line says by which decision, and why', async () => {
    const { line } = await ask('/org/settings', { token: requester.token });
    expect(line).toMatchObject({ actor: requester.id, status: 403, outcome: 'AUDIENCE_NOT_ALLOWED', decision_id: '' });
    const denied = await ask('/requests', { token: requester.token });
    expect(denied.line).toMatchObject({
      status: 403,
      outcome: 'PERMISSION_DENIED',
      decision_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      policy_version: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('when somebody sends a password, a token and what looks like one, then nothing of it is written down', async () => {
    const { line } = await ask(`/auth/login?token=${requester.token}`, {
      body: { email: requester.email, password: requester.password, tenant: tenant.slug },
      headers: { cookie: `session=${requester.token}` },
    });
    expect(line).toMatchObject({ route: '/api/v1/auth/login', actor: 'anonymous' });
    const log = readFileSync(join(inject('dataDir'), 'logs', 'gateway.log'), 'utf8');
    for (const secret of [requester.password, requester.token, requester.refreshToken, requester.email]) expect(log).not.toContain(secret);
  });
});

test('when the gateway tells what it measures, then all of it is in the table of metrics', async () => {
  const text = (await call('GET', '//metrics')).text;
  const names = [...text.matchAll(/^# TYPE (accessops_\w+) /gm)].map(([, name]) => name);
  const table = readFileSync(join(import.meta.dirname, '../docs/metrics.md'), 'utf8');
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});
