import { beforeAll, describe, expect, test } from 'vitest';
import { call, codeOf, decide, file, filed, login, must, type Person, Tenant, until } from './client.ts';

const demoPassword = 'accessops-demo-2026';

describe('people and tenants', () => {
  let tenant: Tenant;

  beforeAll(async () => {
    tenant = await Tenant.create('people');
  });

  const refused = (person: Person, status: number) =>
    until(`refused with ${status}`, async () => (await call('GET', '/me', { token: person.token })).status === status);

  test('when a user logs out, then the access token is refused soon', async () => {
    const person = await tenant.person('leaver', ['requester']);
    expect((await call('GET', '/me', { token: person.token })).status).toBe(200);
    expect((await call('POST', '/auth/logout', { body: { refreshToken: person.refreshToken } })).status).toBe(204);
    await until('refused', async () => (await call('GET', '/me', { token: person.token })).status === 401);
    expect((await call('POST', '/auth/refresh', { body: { refreshToken: person.refreshToken } })).status).toBe(401);
  });

  test('when a user is deactivated, then token, login and refresh are refused and a waiting vote does not count', async () => {
    const requester = await tenant.person('asker', ['requester']);
    const [gone, stays, last] = [
      await tenant.person('gone', ['approver']),
      await tenant.person('stays', ['approver']),
      await tenant.person('last', ['approver']),
    ];
    const resource = await tenant.resource((await tenant.type({ sensitivity: 'high' })).id);
    const request = await filed(requester, resource.id);
    expect((await decide(gone, request.id)).body).toMatchObject({ approvals: 1 });
    expect((await tenant.org('DELETE', `/users/${gone.id}`)).status).toBe(204);
    await refused(gone, 401);
    expect((await login(gone.email, tenant.password)).status).toBe(401);
    await until(
      'the vote no longer counts',
      async () => (await must(200, 'GET', `/approvals/${request.id}`, { token: stays.token })).approvals === 0,
    );
    expect((await decide(stays, request.id)).body).toMatchObject({ status: 'PENDING', approvals: 1 });
    expect((await decide(last, request.id)).body).toMatchObject({ status: 'APPROVED', approvals: 2 });
  });

  test('when a role is taken away, then what it allowed is refused soon', async () => {
    const person = await tenant.person('demoted', ['auditor', 'requester']);
    expect((await call('GET', '/requests', { token: person.token })).status).toBe(200);
    expect((await tenant.org('PATCH', `/memberships/${person.id}`, { orgRoles: ['requester'] })).status).toBe(200);
    await until('refused', async () => (await call('GET', '/requests', { token: person.token })).status === 403);
  });

  test('when the last admin would go, then it is refused', async () => {
    const answer = await tenant.org('PATCH', `/memberships/${tenant.admin.id}`, { orgRoles: ['requester'] });
    expect([answer.status, codeOf(answer)]).toEqual([409, 'LAST_ADMIN']);
  });

  test('when a tenant is suspended, then its people are refused until it is active again', async () => {
    const suspended = await Tenant.create('susp');
    const root = await login('root@accessops.test', demoPassword, 'admin');
    expect(root.status).toBe(200);
    const token = String(root.body.accessToken);
    expect((await call('POST', `/admin/tenants/${suspended.id}/suspend`, { token, body: {} })).body).toMatchObject({ status: 'SUSPENDED' });
    await refused(suspended.admin, 403);
    expect(codeOf(await login(suspended.admin.email, suspended.password))).toBe('TENANT_SUSPENDED');
    expect((await call('POST', `/admin/tenants/${suspended.id}/activate`, { token, body: {} })).body).toMatchObject({ status: 'ACTIVE' });
    await refused(suspended.admin, 200);
  });

  test('when support staff write, then they are refused, but they may read', async () => {
    const support = await login('support@accessops.test', demoPassword, 'admin');
    const token = String(support.body.accessToken);
    expect((await call('GET', '/admin/tenants', { token, headers: { 'x-access-reason': 'INC-4711' } })).status).toBe(200);
    expect((await call('POST', `/admin/tenants/${tenant.id}/suspend`, { token, body: {} })).status).toBe(403);
  });

  test.each([
    ['requester', 'org-admin', 403],
    ['approver', 'org-admin', 403],
    ['manager', 'org-admin', 200],
    ['auditor', 'org-admin', 200],
    ['admin', 'admin', 403],
  ])('when a %s logs in for %s, then %i', async (role, audience, status) => {
    const person = await tenant.person(`${role}-${audience}-login`, [role]);
    expect((await login(person.email, tenant.password, audience)).status).toBe(status);
  });

  test('when an auditor files a request, then it is refused', async () => {
    const auditor = await tenant.person('looker', ['auditor']);
    const resource = await tenant.resource((await tenant.type()).id);
    expect((await file(auditor, resource.id)).status).toBe(403);
  });

  test('when registration repeats an address or a slug, then 409 says which', async () => {
    const body = (email: string, slug: string) => ({
      email,
      password: tenant.password,
      firstName: 'A',
      lastName: 'B',
      organization: { name: 'O', slug },
    });
    expect(codeOf(await call('POST', '/auth/register', { body: body(tenant.admin.email.toUpperCase(), `${tenant.slug}x`) }))).toBe(
      'EMAIL_TAKEN',
    );
    expect(codeOf(await call('POST', '/auth/register', { body: body(`new@${tenant.slug}.test`, tenant.slug) }))).toBe('SLUG_TAKEN');
    // The refused registration left nothing behind.
    expect((await call('POST', '/auth/register', { body: body(`new@${tenant.slug}.test`, `${tenant.slug}y`) })).status).toBe(201);
  });
});
