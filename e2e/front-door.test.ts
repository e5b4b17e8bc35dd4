import { beforeAll, describe, expect, test } from 'vitest';
import { call, type Item, rememberSecret, Tenant } from './client.ts';

describe('the front door', () => {
  let tenant: Tenant;
  beforeAll(async () => {
    tenant = await Tenant.create('door');
  });

  test('when two people change a team with the same ETag at once, then one wins and the other is told', async () => {
    const { admin } = tenant;
    const { id } = (await tenant.org('POST', '/teams', { name: 'Both want it' })).body as Item;
    for (let round = 0; round < 10; round++) {
      const etag = (await tenant.org('GET', `/teams/${id}`)).headers.get('etag') ?? '';
      const names = [`Left ${round}`, `Right ${round}`];
      const answers = await Promise.all(
        names.map((name) => call('PATCH', `/org/teams/${id}`, { token: admin.token, body: { name }, headers: { 'if-match': etag } })),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
      const winner = answers.find(({ status }) => status === 200);
      expect((await tenant.org('GET', `/teams/${id}`)).body.name).toBe(winner?.body.name);
    }
  });

  test('when a page signs in, comes back and signs out, then the browser has what no script can read, and loses it', async () => {
    const { email, password } = tenant.admin;
    const headers = { 'x-csrf-protection': '1' };
    const cookieOf = (answer: { headers: Headers }) => answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    const session = await call('POST', '/auth/session', { body: { email, password, audience: 'org-admin', tenant: tenant.slug }, headers });
    expect([session.status, session.headers.get('set-cookie')]).toEqual([
      200,
      expect.stringMatching(/^__Host-.*HttpOnly; Secure; SameSite=Strict$/),
    ]);
    rememberSecret(cookieOf(session).split('=')[1] ?? '');
    expect((await call('GET', '/org/tenant', { token: String(session.body.accessToken) })).status).toBe(200);
    const again = await call('POST', '/auth/session/refresh', { headers: { ...headers, cookie: cookieOf(session) } });
    expect(again.status).toBe(200);
    expect((await call('POST', '/auth/session/refresh', { headers: { cookie: cookieOf(again) } })).status).toBe(403);
    expect((await call('DELETE', '/auth/session', { headers: { ...headers, cookie: cookieOf(again) } })).status).toBe(204);
    expect((await call('POST', '/auth/session/refresh', { headers: { ...headers, cookie: cookieOf(again) } })).status).toBe(401);
  });

  test('when anything is answered, then browsers may neither run nor frame it', async () => {
    for (const path of ['/me', '//health', '/nothing-here']) {
      const { headers } = await call('GET', path);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-frame-options')).toBe('DENY');
    }
  });
});
