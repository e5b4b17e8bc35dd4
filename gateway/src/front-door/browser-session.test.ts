import { describe, expect, test } from 'vitest';
import { createBrowserSessions } from './browser-session.ts';

const key = new Uint8Array(32).fill(7);
const sessions = createBrowserSessions({ key, origins: ['http://localhost:8080', 'https://console.example.test'] });
const others = createBrowserSessions({ key: new Uint8Array(32), origins: [] });
const csrf = { 'x-csrf-protection': '1' };

describe('a session of a browser', () => {
  test('when a refresh token is kept, then no script and no other host gets it, and it is sealed', async () => {
    const cookie = await sessions.keep('secret-refresh-token', 3600);
    expect(cookie).toMatch(/^__Host-accessops=[\w.-]+; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    expect(cookie).not.toContain('secret');
    expect(await sessions.refreshTokenOf({ cookie: `other=1; ${cookie.split(';')[0]}` })).toBe('secret-refresh-token');
  });

  test('when a cookie is missing, made up or sealed by somebody else, then there is no session', async () => {
    const foreign = (await others.keep('secret', 60)).split(';')[0];
    for (const cookie of [undefined, '', '__Host-accessops=', '__Host-accessops=secret', 'accessops=x', foreign])
      await expect(sessions.refreshTokenOf({ cookie })).rejects.toMatchObject({ code: 'INVALID_REFRESH_TOKEN' });
  });

  test('when it is forgotten, then the browser drops it', () => {
    expect(sessions.forget).toBe('__Host-accessops=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict');
  });

  test.each([
    [{ ...csrf }],
    [{ ...csrf, 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:9' }],
    [{ ...csrf, 'sec-fetch-site': 'none' }],
    [{ ...csrf, 'sec-fetch-site': 'same-site', origin: 'https://console.example.test' }],
    [{ ...csrf, origin: 'http://localhost:8080' }],
  ])('when a request comes with %o, then it is of a page of ours', (headers) => {
    expect(() => sessions.requireOwnPage(headers)).not.toThrow();
  });

  test.each([
    [{}],
    [{ 'sec-fetch-site': 'same-origin' }],
    [{ ...csrf, 'sec-fetch-site': 'cross-site' }],
    [{ ...csrf, 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }],
    [{ ...csrf, 'sec-fetch-site': 'same-site', origin: 'https://evil.example.test' }],
    [{ ...csrf, origin: 'https://evil.test' }],
    [{ ...csrf, origin: 'null' }],
  ])('when a request comes with %o, then it is refused', (headers) => {
    expect(() => sessions.requireOwnPage(headers)).toThrow(expect.objectContaining({ code: 'CSRF_REFUSED' }));
  });
});
