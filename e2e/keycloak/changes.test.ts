import { soonMs, untilWithin } from '@accessops/testing';
import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { auditOf, call, login, must, type Person, Tenant, until } from '../client.ts';
import { mailedToken } from '../mail.ts';
import { admin } from './keycloak.ts';

describe('what is changed in Keycloak itself', () => {
  let tenant: Tenant;
  let orgId: string;

  beforeAll(async () => {
    tenant = await Tenant.create('kc');
    const found = await admin<{ id: string; alias: string }[]>('GET', `/organizations?search=${tenant.slug}&exact=true`);
    orgId = found[0]?.id ?? '';
  });

  const statusOf = async (person: Person, path = '/me') => (await call('GET', path, { token: person.token })).status;
  const takesEffect = (what: string, condition: () => Promise<boolean>) => untilWithin(soonMs, what, condition);
  const groupOf = async (role: string) => {
    const groups = await admin<{ id: string; name: string }[]>('GET', `/organizations/${orgId}/groups`);
    return groups.find(({ name }) => name === role)?.id ?? '';
  };

  test('when a user is disabled there, then tokens, login and refresh are refused here, until the user is enabled again', async () => {
    const person = await tenant.person('disabled', ['requester']);
    await admin('PUT', `/users/${person.id}`, { enabled: false });
    await takesEffect('a disabled user is refused', async () => (await statusOf(person)) === 401);
    expect((await login(person.email, tenant.password)).status).toBe(401);
    await admin('PUT', `/users/${person.id}`, { enabled: true });
    // Not to be measured: each attempt takes as long as a hash of Keycloak's.
    await until('an enabled user can log in', async () => (await login(person.email, tenant.password)).status === 200);
    expect((await call('POST', '/auth/refresh', { body: { refreshToken: person.refreshToken } })).status).toBe(401);
    await until('the audit log tells of both', async () => {
      const actions = (await auditOf(tenant.admin, person.id)).map(({ action }) => action);
      return actions.includes('USER_DEACTIVATED') && actions.includes('USER_REACTIVATED');
    });
  });

  test('when an address is changed there, then it is here too, and is what one signs in with', async () => {
    const person = await tenant.person('moves', ['requester']);
    const email = `moved@${tenant.slug}.test`;
    await admin('PUT', `/users/${person.id}`, { email });
    await takesEffect('the address is another', async () => (await must(200, 'GET', '/me', { token: person.token })).email === email);
    expect((await login(email, tenant.password)).status).toBe(200);
    expect((await login(person.email, tenant.password)).status).toBe(401);
  });

  test('when an address is changed here to one that somebody else has there, then the one before counts again', async () => {
    const person = await tenant.person('stays', ['requester']);
    const email = `taken@${tenant.slug}.test`;
    await admin('POST', '/users', { username: email, email, enabled: true });
    expect((await call('POST', '/me/email', { token: person.token, body: { email } })).status).toBe(204);
    for (const address of [email, person.email]) {
      const token = await mailedToken(address, 'change-email');
      expect((await call('POST', '/auth/email-change/confirm', { body: { token } })).status).toBe(200);
    }
    const addresses = async () =>
      (await auditOf(tenant.admin, person.id)).flatMap(({ action, changes }) =>
        action === 'EMAIL_CHANGED' ? [(changes as { email: { after: string } }).email.after] : [],
      );
    await until('the change is taken back', async () => (await addresses()).length === 2);
    expect(await addresses()).toEqual([email, person.email]);
    expect((await login(person.email, tenant.password)).status).toBe(200);
  });

  test('when a role is taken or given there, then it counts here', async () => {
    const person = await tenant.person('roles', ['auditor', 'requester']);
    expect(await statusOf(person, '/requests')).toBe(200);
    const group = await groupOf('auditor');
    await admin('DELETE', `/organizations/${orgId}/groups/${group}/members/${person.id}`);
    await takesEffect('a role that was taken is refused', async () => (await statusOf(person, '/requests')) === 403);
    await admin('PUT', `/organizations/${orgId}/groups/${group}/members/${person.id}`);
    await takesEffect('a role that was given counts', async () => (await statusOf(person, '/requests')) === 200);
  });

  test('when a membership is removed there, then the tenant is closed here', async () => {
    const person = await tenant.person('removed', ['requester']);
    await admin('DELETE', `/organizations/${orgId}/members/${person.id}`);
    await takesEffect('a removed member is refused', async () => (await statusOf(person)) === 401);
    expect(await must(200, 'GET', `/org/users/${person.id}`, { token: tenant.admin.token })).toMatchObject({ active: false });
  });

  test('when a session is ended there, then its token is refused here though it has not expired', async () => {
    const person = await tenant.person('ended', ['requester']);
    const other = await tenant.signIn(person);
    await admin('DELETE', `/sessions/${decodeJwt(person.token).sid}`);
    await takesEffect('a token of a session that was ended is refused', async () => (await statusOf(person)) === 401);
    expect(await statusOf(other)).toBe(200);
    await admin('POST', `/users/${person.id}/logout`);
    await takesEffect('a token of a user who was logged out is refused', async () => (await statusOf(other)) === 401);
  });

  test('when a session is ended here, then Keycloak has ended it too', async () => {
    const person = await tenant.person('tells', ['requester']);
    const sessionsThere = async () => (await admin<unknown[]>('GET', `/users/${person.id}/sessions`)).length;
    expect(await sessionsThere()).toBe(1);
    await call('POST', '/auth/logout', { body: { refreshToken: person.refreshToken } });
    await takesEffect('a session that was ended here is gone there', async () => (await sessionsThere()) === 0);
  });

  test('when an address is verified here, then Keycloak knows so, and not before; and what is verified there counts here', async () => {
    const [here, there] = [await tenant.person('verifies', ['requester']), await tenant.person('verified', ['requester'])];
    const isVerified = async ({ id }: Person) => (await admin<{ emailVerified: boolean }>('GET', `/users/${id}`)).emailVerified;
    expect([await isVerified(here), await isVerified(there)]).toEqual([false, false]);
    await must(204, 'POST', '/auth/verify-email', { body: { token: await mailedToken(here.email, 'verify-email') } });
    await takesEffect('it is verified there', () => isVerified(here));
    await admin('PUT', `/users/${there.id}`, { emailVerified: true });
    await takesEffect('it is verified here', async () => (await must(200, 'GET', '/me', { token: there.token })).emailVerified === true);
  });

  test('when somebody is made there and put into the organisation, then they can log in here', async () => {
    const email = `made@${tenant.slug}.test`;
    const credentials = [{ type: 'password', value: tenant.password, temporary: false }];
    await admin('POST', '/users', {
      username: email,
      email,
      firstName: 'Mia',
      lastName: 'Made',
      enabled: true,
      emailVerified: true,
      credentials,
    });
    const [user] = await admin<{ id: string }[]>('GET', `/users?email=${encodeURIComponent(email)}&exact=true`);
    await admin('POST', `/organizations/${orgId}/members`, user?.id);
    await admin('PUT', `/organizations/${orgId}/groups/${await groupOf('requester')}/members/${user?.id}`);
    const session = await login(email, tenant.password);
    expect(session.status).toBe(200);
    const me = await must(200, 'GET', '/me', { token: String(session.body.accessToken) });
    expect(me).toMatchObject({ id: user?.id, email, orgRoles: ['requester'], tenant: { slug: tenant.slug } });
  });
});
