import { randomUUID } from 'node:crypto';
import { authenticator } from '@accessops/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  auditOf,
  call,
  codeOf,
  decide,
  filed,
  grantsOf,
  type Item,
  listAll,
  login,
  must,
  type Person,
  reaches,
  rememberSecret,
  Tenant,
  until,
} from './client.ts';
import { mailedToken } from './mail.ts';

const demoPassword = 'accessops-demo-2026';

describe('invitations, mailed links, several tenants', () => {
  let acme: Tenant;
  let globex: Tenant;

  beforeAll(async () => {
    [acme, globex] = [await Tenant.create('home'), await Tenant.create('away')];
  });

  const invite = async (tenant: Tenant, email: string, orgRoles: string[], nth?: number): Promise<string> => {
    expect((await tenant.org('POST', '/invitations', { email, orgRoles })).status).toBe(201);
    return mailedToken(email, 'invitation', nth);
  };
  const accept = (token: string, person: object = {}) => call('POST', '/auth/invitations/accept', { body: { token, ...person } });
  const person = (tenant: Tenant) => ({ password: tenant.password, firstName: 'Gita', lastName: 'Guest' });

  /** Somebody who was invited into both tenants, with a session that is good in both. */
  const traveller = async (name: string, rolesAway: string[]): Promise<Person> => {
    const email = `${name}@${acme.slug}.test`;
    const joined = await accept(await invite(acme, email, ['requester']), person(acme));
    expect(joined.status).toBe(201);
    expect((await accept(await invite(globex, email, rolesAway, 2))).status).toBe(201);
    const session = await login(email, acme.password);
    const { id } = joined.body.user as Item;
    return { id, email, password: acme.password, token: String(session.body.accessToken), refreshToken: String(session.body.refreshToken) };
  };
  const inTenant = (tenant: Tenant) => ({ 'x-tenant': tenant.slug });

  test('when somebody is in two tenants, then X-Tenant says which, with the roles there', async () => {
    const { token, id } = await traveller('both', ['auditor']);
    expect(codeOf(await call('GET', '/me', { token }))).toBe('TENANT_REQUIRED');
    const tenants = (await must(200, 'GET', '/me/tenants', { token })).items;
    expect(tenants).toHaveLength(2);
    expect(tenants).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ slug: acme.slug, orgRoles: ['requester'] }),
        expect.objectContaining({ slug: globex.slug, orgRoles: ['auditor'] }),
      ]),
    );
    expect(await must(200, 'GET', '/me', { token, headers: inTenant(acme) })).toMatchObject({
      id,
      orgRoles: ['requester'],
      emailVerified: true,
    });
    expect((await call('GET', '/requests', { token, headers: inTenant(acme) })).status).toBe(403);
    expect((await call('GET', '/requests', { token, headers: inTenant(globex) })).status).toBe(200);
    expect(codeOf(await call('GET', '/me', { token, headers: { 'x-tenant': 'acme' } }))).toBe('NOT_A_MEMBER');
  });

  test('when somebody is deactivated in one tenant, then the other one stays', async () => {
    const { token, id } = await traveller('half', ['requester']);
    expect((await globex.org('DELETE', `/users/${id}`)).status).toBe(204);
    await until('refused', async () => (await call('GET', '/me', { token, headers: inTenant(globex) })).status === 401);
    expect((await call('GET', '/me', { token, headers: inTenant(acme) })).status).toBe(200);
  });

  test('when an invitation is used, revoked or made up, then it is 410, and only once 201', async () => {
    const email = `once@${acme.slug}.test`;
    const token = await invite(acme, email, ['requester']);
    const answers = await Promise.all([accept(token, person(acme)), accept(token, person(acme))]);
    expect(answers.map(({ status }) => status).sort()).toContain(201);
    expect(codeOf(await accept(token))).toBe('LINK_NOT_VALID');
    expect(codeOf(await accept('A'.repeat(64)))).toBe('LINK_NOT_VALID');
    const late = `late@${acme.slug}.test`;
    const revoked = await invite(acme, late, ['requester']);
    const [invitation] = await listAll(`/org/invitations?filter[email][eq]=${late}`, acme.admin.token);
    expect((await acme.org('DELETE', `/invitations/${invitation?.id}`)).status).toBe(204);
    expect((await accept(revoked, person(acme))).status).toBe(410);
    const told = async () => (await auditOf(acme.admin, String(invitation?.id))).map(({ action }) => action);
    await until('the audit log tells of the end', async () => (await told()).includes('INVITATION_REVOKED'));
    expect(await told()).toEqual(['INVITATION_CREATED', 'INVITATION_REVOKED']);
  });

  test('when a password is reset by mail, then all sessions end soon', async () => {
    const someone = await acme.person('forgetful', ['requester']);
    expect((await call('POST', '/auth/password-reset', { body: { email: someone.email } })).status).toBe(204);
    expect((await call('POST', '/auth/password-reset', { body: { email: `nobody@${acme.slug}.test` } })).status).toBe(204);
    const token = await mailedToken(someone.email, 'reset-password');
    const password = `${acme.password}-changed`;
    rememberSecret(password);
    expect((await call('POST', '/auth/password-reset/confirm', { body: { token, password } })).status).toBe(204);
    await until('refused', async () => (await call('GET', '/me', { token: someone.token })).status === 401);
    expect((await login(someone.email, acme.password)).status).toBe(401);
    expect((await login(someone.email, password)).status).toBe(200);
    const told = ['PASSWORD_RESET_REQUESTED', 'PASSWORD_CHANGED', 'LOGIN_FAILED'];
    await until('the audit log tells', async () => {
      const actions = (await auditOf(acme.admin, someone.id)).map(({ action }) => action);
      return told.every((action) => actions.includes(action));
    });
  });

  /** Somebody who has made an account and an organisation with an address whose mail they do not read, and an authenticator app for it. */
  const squatter = async (name: string): Promise<Person> => {
    const slug = `${name}-${acme.slug}`;
    const email = `${name}@${acme.slug}.test`;
    const { password } = globex;
    const who = { email, password, firstName: 'Eve', lastName: 'Early', organization: { name: slug, slug } };
    const { user } = await must(201, 'POST', '/auth/register', { body: who });
    const { body } = await login(email, password);
    const token = String(body.accessToken);
    const { secret } = await must(201, 'POST', '/me/mfa/totp', { token });
    rememberSecret(String(secret));
    await must(200, 'POST', '/me/mfa/totp/confirm', { token, body: { code: await authenticator(String(secret))() } });
    return { id: String((user as Item).id), email, password, token, refreshToken: String(body.refreshToken) };
  };

  test('when somebody else has put a second factor on an address, then who reads its mail gets in without, and the log tells', async () => {
    const [invited, forgetful] = [await squatter('invited'), await squatter('resets')];
    const joined = await accept(await invite(acme, invited.email, ['requester']), { password: acme.password });
    expect(joined.status).toBe(201);
    await must(204, 'POST', '/auth/password-reset', { body: { email: forgetful.email } });
    const token = await mailedToken(forgetful.email, 'reset-password');
    await must(204, 'POST', '/auth/password-reset/confirm', { body: { token, password: acme.password } });
    for (const { email } of [invited, forgetful]) {
      const session = await login(email, acme.password);
      expect([session.status, codeOf(session)]).toEqual([200, undefined]);
      expect((await login(email, globex.password)).status).toBe(401);
    }
    const { body } = await login(forgetful.email, acme.password, 'org-admin');
    const reader = { ...forgetful, token: String(body.accessToken) };
    await until('the audit log tells', async () => (await auditOf(reader, forgetful.id)).some(({ action }) => action === 'MFA_REMOVED'));
  });

  test('when both addresses agree, then the address changes, also on the token that is there', async () => {
    const someone = await acme.person('mover', ['requester']);
    const email = `moved@${acme.slug}.test`;
    expect((await call('POST', '/me/email', { token: someone.token, body: { email } })).status).toBe(204);
    const confirm = async (address: string) =>
      call('POST', '/auth/email-change/confirm', { body: { token: await mailedToken(address, 'change-email') } });
    expect((await confirm(email)).body).toEqual({ status: 'WAITING' });
    expect((await confirm(someone.email)).body).toEqual({ status: 'CHANGED' });
    await until('the new address', async () => (await must(200, 'GET', '/me', { token: someone.token })).email === email);
    expect((await login(email, acme.password)).status).toBe(200);
  });

  test('when a user is deactivated, then nothing waits for them and their grants are revoked', async () => {
    const [holder, approver] = [
      await acme.person('holder', ['requester', 'approver']),
      await acme.person('other', ['requester', 'approver']),
    ];
    const resource = await acme.resource((await acme.type({ sensitivity: 'medium' })).id);
    const own = await filed(holder, resource.id);
    expect((await decide(approver, own.id)).status).toBe(200);
    await reaches(holder, own.id, 'ACTIVE');
    const [grant] = await grantsOf(holder, own.id);
    expect((await acme.org('DELETE', `/users/${holder.id}`)).status).toBe(204);
    await until('the grant is revoked', async () => {
      const found = await listAll(`/org/grants?filter[requestId][eq]=${own.id}`, acme.admin.token);
      return found[0]?.id === grant?.id && found[0]?.status === 'REVOKED';
    });
    const waiting = await filed(approver, resource.id);
    const approval = await until('the approval', async () => {
      const { status, text } = await call('GET', `/approvals/${waiting.id}`, { token: acme.admin.token });
      return status === 200 && text;
    });
    expect(approval).not.toContain(holder.id);
  });

  test('when a tenant is suspended, then its people are refused everywhere and their access ends, and activating brings back what it had', async () => {
    const tenant = await Tenant.create('halted');
    const someone = await tenant.person('holder', ['requester']);
    const resource = await tenant.resource((await tenant.type({ sensitivity: 'low' })).id);
    const request = await filed(someone, resource.id, { duration: 'PT1H' });
    await reaches(someone, request.id, 'ACTIVE');
    const root = await login('root@accessops.test', demoPassword, 'admin');
    const platform = { token: String(root.body.accessToken), body: {} };
    await must(200, 'POST', `/admin/tenants/${tenant.id}/suspend`, platform);
    for (const path of ['/me', '/requests/me', '/grants/me', '/me/tenants', '/approvals/pending', '/catalog/resources']) {
      await until(`${path} is refused`, async () => codeOf(await call('GET', path, { token: someone.token })) === 'TENANT_SUSPENDED');
    }
    expect(codeOf(await tenant.org('GET', '/users'))).toBe('TENANT_SUSPENDED');
    expect(codeOf(await call('POST', '/auth/refresh', { body: { refreshToken: tenant.admin.refreshToken } }))).toBe('TENANT_SUSPENDED');
    const ended = `/admin/audit?filter[tenantId][eq]=${tenant.id}&filter[action][eq]=GRANT_REVOKED`;
    await until('the access has ended', async () => (await must(200, 'GET', ended, { token: platform.token })).items?.length === 1);
    await must(200, 'POST', `/admin/tenants/${tenant.id}/activate`, platform);
    await until('let in again', async () => (await call('GET', '/me', { token: someone.token })).status === 200);
    await reaches(someone, request.id, 'REVOKED');
    await reaches(someone, (await filed(someone, resource.id, { duration: 'PT1H' })).id, 'ACTIVE');
    expect((await call('POST', '/auth/refresh', { body: { refreshToken: tenant.admin.refreshToken } })).status).toBe(200);
  });

  test.each([
    ['/organization/slug', 422, { organization: { name: 'O', slug: '\u0430cme-\u0441orp' } }],
    ['/organization/slug', 422, { organization: { name: 'O', slug: 'Acme' } }],
    ['/organization/name', 422, { organization: { name: 'x'.repeat(10_000), slug: 'long-name-corp' } }],
    ['/organization/name', 422, { organization: { name: 'Ac\u202eme', slug: 'turned-around' } }],
    ['/organization/name', 422, { organization: { name: 'P\u0430ypal', slug: 'two-alphabets' } }],
    ['/organization/domain', 422, { organization: { name: 'O', slug: 'lookalike-corp', domain: '\u0430cme.test' } }],
    ['/firstName', 422, { firstName: 'x'.repeat(10_000) }],
    ['/lastName', 422, { lastName: 'Doe\r\nBcc: everybody@acme.test' }],
    ['/email', 422, { email: 'ada@acme.test\r\nBcc: everybody@acme.test' }],
    ['/email', 422, { email: '\u0430da@acme.test' }],
  ])('when a registration has a wrong %s, then %i names it and nothing is made', async (pointer, status, changes) => {
    const body = { email: `ada@${acme.slug}.example`, password: acme.password, firstName: 'Ada', lastName: 'Doe', ...changes };
    const answer = await call('POST', '/auth/register', { body });
    expect(answer.status).toBe(status);
    expect((answer.body.errors as { pointer: string }[]).map((error) => error.pointer)).toContain(pointer);
    expect((await login(String(body.email), acme.password)).status).toBe(401);
  });

  test('when a domain is in use, then 409 says so and nothing is made', async () => {
    const domain = `${acme.slug}.test`;
    expect((await acme.org('PATCH', '/tenant', { domain })).status).toBe(200);
    const email = `second@${globex.slug}.example`;
    const body = {
      email,
      password: acme.password,
      firstName: 'A',
      lastName: 'B',
      organization: { name: 'O', slug: `${acme.slug.slice(0, 30)}-2`, domain },
    };
    expect(codeOf(await call('POST', '/auth/register', { body }))).toBe('DOMAIN_TAKEN');
    expect((await login(email, acme.password)).status).toBe(401);
    expect(codeOf(await globex.org('PATCH', '/tenant', { domain }))).toBe('DOMAIN_TAKEN');
  });

  test('when a mailed link is used twice under one Idempotency-Key, then the second answer is the first', async () => {
    const [email, known] = [`again@${acme.slug}.test`, await acme.person('absent-minded', ['requester'])];
    const token = await invite(acme, email, ['requester']);
    expect((await call('POST', '/auth/password-reset', { body: { email: known.email } })).status).toBe(204);
    const { password } = acme;
    for (const [path, body, status] of [
      ['/auth/invitations/accept', { token, ...person(acme) }, 201],
      ['/auth/password-reset/confirm', { token: await mailedToken(known.email, 'reset-password'), password }, 204],
    ] as const) {
      const headers = { 'idempotency-key': randomUUID() };
      const [first, second] = [await call('POST', path, { body, headers }), await call('POST', path, { body, headers })];
      expect([first.status, second.status]).toEqual([status, status]);
      expect(second.text).toBe(first.text);
      expect(second.headers.get('idempotency-replayed')).toBe('true');
      const other = await call('POST', path, { body: { ...body, password: `${password}-other` }, headers });
      expect(codeOf(other)).toBe('IDEMPOTENCY_KEY_REUSED');
      expect(codeOf(await call('POST', path, { body }))).toBe('LINK_NOT_VALID');
    }
    for (const address of [email, known.email]) expect((await login(address, password)).status).toBe(200);
  });
});
