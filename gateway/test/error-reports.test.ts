import { startSentry, until } from '@accessops/testing';
import { expect, test } from 'vitest';
import { defineRoute } from '../src/define-route.ts';
import { callTo, startTestGateway } from './world.ts';

const secret = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlMQ';

const broken = defineRoute({
  method: 'get',
  path: '/api/v1/auth/broken',
  operationId: 'broken',
  tag: 'Me',
  summary: 'Something nobody has foreseen',
  audience: 'public',
  cerbos: { resource: 'session', action: 'login' },
  answer: { status: 200, description: 'Never.' },
  handle: () => Promise.reject(new RangeError(`una.user@acme.test has sent "${secret}"`)),
});

test('when a call is answered with 500, then Sentry is told which, and nothing of whoever called', async () => {
  const sentry = await startSentry();
  const gateway = await startTestGateway(
    {},
    { SENTRY_DSN: sentry.dsn, LOG_LEVEL: 'error', ACCESSOPS_COMMIT: 'abc123' },
    { routes: [broken] },
  );
  const headers = { 'x-request-id': 'broken-1', cookie: `refresh=${secret}`, 'user-agent': 'una/1.0', 'x-forwarded-for': '203.0.113.9' };
  const answer = await callTo(gateway.url)('GET', `/auth/broken?token=${secret}`, { headers });
  expect(answer.status).toBe(500);
  await until(() => sentry.events.length > 0);
  expect(sentry.events).toEqual([
    expect.objectContaining({
      release: 'abc123',
      tags: expect.objectContaining({ service: 'gateway', route: '/api/v1/auth/broken', request_id: 'broken-1' }),
      exception: { values: [expect.objectContaining({ type: 'RangeError', value: '[removed] has sent "[removed]"' })] },
    }),
  ]);
  for (const hidden of [secret, 'una', '203.0.113.9', 'cookie']) expect(sentry.raw()).not.toContain(hidden);
  await gateway.close();
  await sentry.close();
});

test('when something that is needed is away, then the answer is 503 and Sentry is not told', async () => {
  const sentry = await startSentry();
  const gateway = await startTestGateway({}, { SENTRY_DSN: sentry.dsn, LOG_LEVEL: 'error' });
  const answer = await callTo(gateway.url)('POST', '/auth/login', {
    body: { email: 'una.user@acme.test', password: 'quarry lamp seven bridges' },
  });
  expect(answer.status).toBe(503);
  await gateway.close();
  expect(sentry.events).toEqual([]);
  await sentry.close();
});
