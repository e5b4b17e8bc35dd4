import { authenticator, until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Call, callTo, type Person, password, startTestGateway, startWorld, toldMs, type World } from './world.ts';

const origin = 'https://console.example.test';
const ownPage = { 'x-csrf-protection': '1', 'sec-fetch-site': 'same-origin' };

describe('the session of a page', () => {
  let world: World;
  let call: Call;
  let person: Person;
  let close: () => Promise<void>;

  beforeAll(async () => {
    world = await startWorld();
    const gateway = await startTestGateway(world.addresses, { EVENTS_NAMESPACE: world.namespace, CORS_ORIGINS: origin });
    call = callTo(gateway.url);
    close = () => gateway.close();
    const { admin, slug } = await world.organization();
    person = await world.person(admin, slug, ['requester']);
  });
  afterAll(async () => {
    await close();
    await world.close();
  });

  const signIn = (headers: Record<string, string> = ownPage) =>
    call('POST', '/auth/session', { body: { email: person.email, password }, headers });
  const setCookie = ({ headers }: Answer) => String(headers['set-cookie'] ?? '');
  const cookieOf = (answer: Answer) => setCookie(answer).split(';')[0] ?? '';
  const refresh = (cookie: string, headers: Record<string, string> = ownPage) =>
    call('POST', '/auth/session/refresh', { headers: { ...headers, ...(cookie ? { cookie } : {}) } });
  const brief = ({ status, body }: Answer) => [status, body.error?.code];

  test('when a page signs in, then it gets an access token, and the browser what no script can read', async () => {
    const answer = await signIn();
    expect(answer.status).toBe(200);
    expect(setCookie(answer)).toMatch(/^__Host-accessops=[\w.-]+; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    expect(answer.body).not.toHaveProperty('refreshToken');
    expect((await call('GET', '/me', { token: String(answer.body.accessToken) })).body.id).toBe(person.id);
    expect((await call('GET', '/me', { headers: { cookie: cookieOf(answer) } })).status).toBe(401);
  });

  test('when a page comes back, then the cookie gives it another access token, and is replaced', async () => {
    const first = cookieOf(await signIn());
    const answer = await refresh(first);
    expect(answer.status).toBe(200);
    expect(cookieOf(answer)).not.toBe(first);
    expect((await call('GET', '/me', { token: String(answer.body.accessToken) })).status).toBe(200);
    expect((await refresh(cookieOf(answer))).status).toBe(200);
  });

  test('when a cookie is used twice, then its session ends', async () => {
    const first = cookieOf(await signIn());
    const second = cookieOf(await refresh(first));
    expect(brief(await refresh(first))).toEqual([401, 'INVALID_REFRESH_TOKEN']);
    expect(brief(await refresh(second))).toEqual([401, 'INVALID_REFRESH_TOKEN']);
  });

  test('when a page signs out, then the session ends and the browser forgets it', async () => {
    const session = await signIn();
    const answer = await call('DELETE', '/auth/session', { headers: { ...ownPage, cookie: cookieOf(session) } });
    expect([answer.status, setCookie(answer)]).toEqual([204, '__Host-accessops=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict']);
    expect(brief(await refresh(cookieOf(session)))).toEqual([401, 'INVALID_REFRESH_TOKEN']);
    await until(async () => (await call('GET', '/me', { token: String(session.body.accessToken) })).status === 401, { timeoutMs: toldMs });
    expect((await call('DELETE', '/auth/session', { headers: ownPage })).status).toBe(204);
  });

  test('when a cookie is missing or made up, then there is no session', async () => {
    for (const cookie of ['', '__Host-accessops=nonsense', `__Host-accessops=${person.refreshToken}`])
      expect(brief(await refresh(cookie))).toEqual([401, 'INVALID_REFRESH_TOKEN']);
  });

  test('when what a cookie holds is given as a refresh token, then it is none', async () => {
    const sealed = cookieOf(await signIn()).split('=')[1];
    expect(brief(await call('POST', '/auth/refresh', { body: { refreshToken: sealed } }))).toEqual([401, 'INVALID_REFRESH_TOKEN']);
  });

  test.each([
    ['without the header', { 'sec-fetch-site': 'same-origin' }],
    ['from another site', { 'x-csrf-protection': '1', 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }],
    ['from another host of the site', { 'x-csrf-protection': '1', 'sec-fetch-site': 'same-site', origin: 'https://evil.example.test' }],
    ['from a page without an origin', { 'x-csrf-protection': '1', origin: 'null' }],
  ])('when a request comes %s, then it is refused, and the session is as it was', async (_, headers) => {
    const cookie = cookieOf(await signIn());
    expect(brief(await signIn(headers))).toEqual([403, 'CSRF_REFUSED']);
    expect(brief(await refresh(cookie, headers))).toEqual([403, 'CSRF_REFUSED']);
    expect(brief(await call('DELETE', '/auth/session', { headers: { ...headers, cookie } }))).toEqual([403, 'CSRF_REFUSED']);
    expect((await refresh(cookie)).status).toBe(200);
  });

  test('when a page steps up, then its session goes on with the new cookie', async () => {
    const { admin } = await world.organization();
    const session = await call('POST', '/auth/session', { body: { email: admin.email, password }, headers: ownPage });
    const token = String(session.body.accessToken);
    const begun = await call('POST', '/me/mfa/totp', { token });
    const code = authenticator(String(begun.body.secret));
    await call('POST', '/me/mfa/totp/confirm', { token, body: { code: await code() } });
    const stepped = await call('POST', '/auth/session/step-up', { token, body: { totp: await code() }, headers: ownPage });
    expect([stepped.status, stepped.body.refreshToken]).toEqual([200, undefined]);
    expect((await refresh(cookieOf(stepped))).status).toBe(200);
  });

  test('when a page of an allowed origin signs in, then it may, with its credentials', async () => {
    const answer = await signIn({ 'x-csrf-protection': '1', 'sec-fetch-site': 'same-site', origin });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' });
    expect(setCookie(answer)).toContain('__Host-accessops=');
  });

  test('when a password is wrong, then no cookie is set', async () => {
    const answer = await call('POST', '/auth/session', {
      body: { email: person.email, password: 'wrong-password-here' },
      headers: ownPage,
    });
    expect([...brief(answer), setCookie(answer)]).toEqual([401, 'INVALID_CREDENTIALS', '']);
  });
});
