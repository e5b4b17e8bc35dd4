import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { call, codeOf, login, type Person, rememberSecret, Tenant, until } from './client.ts';

// What holds for people and sessions whoever keeps them: runs on the local provider and on a real Keycloak.
describe('identity', () => {
  let tenant: Tenant;
  let person: Person;

  beforeAll(async () => {
    tenant = await Tenant.create('ident');
    person = await tenant.person('person', ['requester']);
  });

  const me = (token: string) => call('GET', '/me', { token });
  const refresh = (refreshToken: string) => call('POST', '/auth/refresh', { body: { refreshToken } });
  const again = (who: Person) => tenant.signIn(who);

  test('when someone logs in, then the access token tells who, where and as what, in the same claims of either provider', async () => {
    const { accessToken, expiresIn, refreshExpiresIn } = (await login(tenant.admin.email, tenant.password, 'org-admin', tenant.slug)).body;
    expect(decodeProtectedHeader(String(accessToken))).toMatchObject({ alg: 'RS256', typ: 'at+jwt' });
    const claims = decodeJwt(String(accessToken));
    expect(claims).toMatchObject({
      sub: tenant.admin.id,
      azp: 'accessops-org-admin',
      acr: 'aal1',
      amr: ['pwd'],
      email: tenant.admin.email,
      given_name: 'Ada',
      family_name: 'Admin',
      organization: { [tenant.slug]: { id: expect.any(String), groups: ['/admin'] } },
      sid: expect.any(String),
    });
    expect(claims).not.toHaveProperty('email_verified');
    expect([...(claims.aud as string[])].sort()).toEqual(['accessops-app', 'accessops-org-admin']);
    expect(Number(expiresIn)).toBeGreaterThan(890);
    expect(Number(refreshExpiresIn)).toBeGreaterThan(7 * 24 * 3600 - 10);
  });

  test('when the password is wrong or the address unknown, then both are answered alike', async () => {
    for (const email of [person.email, `nobody@${tenant.slug}.test`, 'no address']) {
      const answer = await login(email, 'not the right password');
      expect([answer.status, codeOf(answer)]).toEqual([401, 'INVALID_CREDENTIALS']);
    }
  });

  /** The status of a login from another address of this machine, where it has more than one. */
  const loginFromElsewhere = (email: string, password: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const options = { method: 'POST', headers: { 'content-type': 'application/json' } };
      const from = process.platform === 'linux' ? { localAddress: '127.0.0.2' } : {};
      const call = request(`${inject('url')}/api/v1/auth/login`, { ...options, ...from }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.once('error', reject).end(JSON.stringify({ email, password }));
    });

  test('when somebody else guesses at a password again and again, then its owner gets in all the same', async () => {
    const owner = await tenant.person('guessed', ['requester']);
    for (let count = 0; count < 15; count++) expect(await loginFromElsewhere(owner.email, `wrong password ${count}`)).toBe(401);
    expect((await login(owner.email, tenant.password)).status).toBe(200);
    expect(await loginFromElsewhere(owner.email, 'one more wrong password')).toBe(401);
  });

  test('when a role does not allow an audience, then it is AUDIENCE_NOT_ALLOWED, and only with the right password', async () => {
    expect(codeOf(await login(person.email, tenant.password, 'org-admin'))).toBe('AUDIENCE_NOT_ALLOWED');
    expect(codeOf(await login(person.email, tenant.password, 'admin'))).toBe('AUDIENCE_NOT_ALLOWED');
    expect(codeOf(await login(person.email, 'not the right password', 'admin'))).toBe('INVALID_CREDENTIALS');
  });

  test('when one person logs in five times at once, then all get a session of their own', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => login(person.email, tenant.password)));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(new Set(answers.map(({ body }) => decodeJwt(String(body.accessToken)).sid)).size).toBe(5);
  });

  test('when a session is refreshed, then it goes on under a new refresh token', async () => {
    const session = await again(person);
    const next = await refresh(session.refreshToken);
    expect(next.status).toBe(200);
    rememberSecret(String(next.body.refreshToken));
    expect(next.body.refreshToken).not.toBe(session.refreshToken);
    expect(decodeJwt(String(next.body.accessToken)).sid).toBe(decodeJwt(session.token).sid);
    expect((await me(String(next.body.accessToken))).status).toBe(200);
  });

  test('when a used refresh token comes again, then the session is over: its newest tokens are refused too', async () => {
    const session = await again(person);
    const next = (await refresh(session.refreshToken)).body;
    expect((await refresh(session.refreshToken)).status).toBe(401);
    expect((await refresh(String(next.refreshToken))).status).toBe(401);
    await until('refused', async () => (await me(String(next.accessToken))).status === 401);
  });

  test('of ten parallel refreshes with one token, when they race, then at most one wins and the session is over', async () => {
    const session = await again(person);
    const answers = await Promise.all(Array.from({ length: 10 }, () => refresh(session.refreshToken)));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    await until('refused', async () => (await me(session.token)).status === 401);
  });

  test('when someone logs out, then that session is over at once, and the others go on', async () => {
    const [gone, stays] = [await again(person), await again(person)];
    expect((await call('POST', '/auth/logout', { body: { refreshToken: gone.refreshToken } })).status).toBe(204);
    await until('refused', async () => (await me(gone.token)).status === 401);
    expect((await refresh(gone.refreshToken)).status).toBe(401);
    expect((await me(stays.token)).status).toBe(200);
    expect((await refresh(stays.refreshToken)).status).toBe(200);
  });

  test('when something else than an access token is shown, then it is refused', async () => {
    const session = await again(person);
    const [header, payload] = session.token.split('.');
    for (const token of [session.refreshToken, `${header}.${payload}.AAAA`, 'x.y.z']) expect((await me(token)).status).toBe(401);
    expect(codeOf(await refresh(session.token))).toBe('INVALID_REFRESH_TOKEN');
  });

  test('when an address or a slug is taken, then nothing comes of the registration, and another address is free', async () => {
    const register = (email: string, slug: string) =>
      call('POST', '/auth/register', {
        body: { email, password: tenant.password, firstName: 'Ada', lastName: 'Admin', organization: { name: 'Other', slug } },
      });
    const slug = `ident-${randomUUID().slice(0, 13)}`;
    expect(codeOf(await register(person.email.toUpperCase(), slug))).toBe('EMAIL_TAKEN');
    const email = `new@${slug}.test`;
    expect(codeOf(await register(email, tenant.slug))).toBe('SLUG_TAKEN');
    expect((await login(email, tenant.password)).status).toBe(401);
    expect((await register(email, slug)).status).toBe(201);
    expect((await login(email, tenant.password, 'org-admin', slug)).status).toBe(200);
  });

  test('when an address is registered five times at once, then exactly one succeeds', async () => {
    const email = `five@${randomUUID().slice(0, 13)}.test`;
    const body = { email, password: tenant.password, firstName: 'Ada', lastName: 'Admin' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => call('POST', '/auth/register', { body })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
  });

  test('when a registration is repeated under its Idempotency-Key, then it is answered as before', async () => {
    const body = { email: `once@${randomUUID().slice(0, 13)}.test`, password: tenant.password, firstName: 'Ada', lastName: 'Admin' };
    const headers = { 'idempotency-key': randomUUID() };
    const [first, second] = [
      await call('POST', '/auth/register', { body, headers }),
      await call('POST', '/auth/register', { body, headers }),
    ];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });

  test('when a password is weak, then the field is named and nobody is made', async () => {
    const email = `weak@${randomUUID().slice(0, 13)}.test`;
    const answer = await call('POST', '/auth/register', {
      body: { email, password: 'password-2026', firstName: 'Ada', lastName: 'Admin' },
    });
    expect([answer.status, codeOf(answer)]).toEqual([422, 'PASSWORD_TOO_WEAK']);
  });

  test('when a user is deactivated and comes back, then old sessions stay over and a new login works', async () => {
    const leaver = await tenant.person('leaver', ['requester']);
    expect((await tenant.org('PATCH', `/users/${leaver.id}`, { active: false })).status).toBe(200);
    await until('refused', async () => (await me(leaver.token)).status === 401);
    expect((await login(leaver.email, tenant.password)).status).toBe(401);
    expect((await tenant.org('PATCH', `/users/${leaver.id}`, { active: true })).status).toBe(200);
    expect((await refresh(leaver.refreshToken)).status).toBe(401);
    expect((await me((await again(leaver)).token)).status).toBe(200);
  });

  test('when roles change, then the next token tells so', async () => {
    const climber = await tenant.person('climber', ['requester']);
    expect((await tenant.org('PATCH', `/memberships/${climber.id}`, { orgRoles: ['manager', 'approver'] })).status).toBe(200);
    const next = await refresh(climber.refreshToken);
    const { organization } = decodeJwt(String(next.body.accessToken)) as { organization?: Record<string, { groups: string[] }> };
    expect([...(organization?.[tenant.slug]?.groups ?? [])].sort()).toEqual(['/approver', '/manager']);
    expect((await login(climber.email, tenant.password, 'org-admin')).status).toBe(200);
  });
});
