import { beforeAll, describe, expect, test } from 'vitest';
import { auditOf, call, codeOf, decide, type Item, must, type Person, reaches, rememberSecret, Tenant, until } from './client.ts';

const pairsOf = (...permissions: string[]) =>
  permissions.map((permission) => ({ resource: permission.split(':')[0], action: permission.split(':')[1] }));

describe('custom roles and service accounts', () => {
  let tenant: Tenant;
  let requester: Person;
  beforeAll(async () => {
    tenant = await Tenant.create('machines');
    requester = await tenant.person('asker', ['requester']);
  });

  const account = async (...scopes: string[]) => {
    const body = { name: `ci-${scopes.length}-${Math.random()}`, scopes: pairsOf(...scopes) };
    const made = (await must(201, 'POST', '/org/service-accounts', { token: tenant.admin.token, body })) as Item;
    const key = (await must(201, 'POST', `/org/service-accounts/${made.id}/keys`, { token: tenant.admin.token })) as Item;
    rememberSecret(String(key.key));
    return { id: made.id, name: String(made.name), keyId: key.id, token: String(key.key) };
  };
  const filing = (resourceId: string, duration = 'PT1M') => ({
    resourceId,
    role: 'reader',
    justification: 'A nightly migration',
    duration,
  });

  test('when a machine files a request, then people decide on it, it reads its credential, and the audit names it', async () => {
    const machine = await account('access_request:create', 'access_request:list_own', 'grant:list_own', 'grant:read_credential');
    const approver = await tenant.person('decider', ['approver']);
    const resource = await tenant.resource((await tenant.type({ sensitivity: 'medium' })).id);
    const request = (await must(201, 'POST', '/requests', { token: machine.token, body: filing(resource.id) })) as Item;
    expect(request).toMatchObject({ status: 'PENDING', requesterId: machine.id });
    expect((await decide(approver, request.id)).status).toBe(200);
    await reaches(tenant.admin, request.id, 'ACTIVE');
    const { items = [] } = await must(200, 'GET', '/grants/me', { token: machine.token });
    const credential = await call('POST', `/grants/${items[0]?.id}/credential`, { token: machine.token, body: {} });
    expect([credential.status, typeof credential.body.credential]).toEqual([200, 'object']);
    const created = await until('the audit of the request', async () =>
      (await auditOf(tenant.admin, request.id)).find(({ action }) => action === 'REQUEST_CREATED'),
    );
    expect(created).toMatchObject({ action: 'REQUEST_CREATED', actor: { id: machine.id, type: 'service-account', email: machine.name } });
    // Its own only: by the scope of listing, not of reading.
    expect((await call('GET', `/requests/${request.id}`, { token: machine.token })).status).toBe(403);
  });

  test('when a machine tries to decide, on its own request or another, then it is refused', async () => {
    const { items = [] } = await must(200, 'GET', '/org/permissions', { token: tenant.admin.token });
    const everything = items.filter(({ serviceAccounts }) => serviceAccounts).map(({ resource, action }) => `${resource}:${action}`);
    const machine = await account(...everything);
    const resource = await tenant.resource((await tenant.type({ sensitivity: 'medium' })).id);
    const own = (await must(201, 'POST', '/requests', { token: machine.token, body: filing(resource.id) })) as Item;
    const others = (await must(201, 'POST', '/requests', { token: requester.token, body: filing(resource.id) })) as Item;
    for (const { id } of [own, others])
      for (const verb of ['approve', 'reject']) {
        const answer = await call('POST', `/requests/${id}/${verb}`, { token: machine.token, body: {} });
        expect([answer.status, codeOf(answer)]).toEqual([403, 'PERMISSION_DENIED']);
      }
    expect((await call('GET', '/approvals/pending', { token: machine.token })).status).toBe(403);
    expect((await call('GET', '/admin/tenants', { token: machine.token })).status).toBe(403);
    const scopes = pairsOf('approval:decide');
    const wanted = await tenant.org('POST', '/service-accounts', { name: 'decider', scopes });
    expect([wanted.status, JSON.stringify(wanted.body.errors)]).toEqual([422, expect.stringContaining('/scopes/0')]);
  });

  test('when an account is deleted, then its key is refused soon and its access ends', async () => {
    const machine = await account('access_request:create', 'grant:list_own');
    const resource = await tenant.resource((await tenant.type({ sensitivity: 'low' })).id);
    const request = (await must(201, 'POST', '/requests', { token: machine.token, body: filing(resource.id, 'PT1H') })) as Item;
    await reaches(tenant.admin, request.id, 'ACTIVE');
    expect((await tenant.org('DELETE', `/service-accounts/${machine.id}`)).status).toBe(204);
    await until('refused', async () => (await call('GET', '/grants/me', { token: machine.token })).status === 401);
    await reaches(tenant.admin, request.id, 'REVOKED');
    const actions = async () => (await auditOf(tenant.admin, machine.id)).map(({ action }) => action);
    await until('the audit of the account', async () => (await actions()).join() === 'SERVICE_ACCOUNT_CREATED,SERVICE_ACCOUNT_DELETED');
    const ofKey = await until('the audit of the key', async () => {
      const events = await auditOf(tenant.admin, machine.keyId);
      return events.length > 0 && events;
    });
    expect(ofKey).toMatchObject([{ action: 'API_KEY_CREATED', entityType: 'API_KEY', actor: { id: tenant.admin.id } }]);
  });

  test('when a custom role is given, changed and taken, then each soon counts and is audited', async () => {
    const person = await tenant.person('keeper', ['requester']);
    const role = (await must(201, 'POST', '/org/roles', {
      token: tenant.admin.token,
      body: { name: 'Watcher', permissions: pairsOf('access_request:list_all') },
    })) as Item;
    const sees = async () => (await call('GET', '/requests', { token: person.token })).status;
    expect(await sees()).toBe(403);
    const give = (roles: string[]) => tenant.org('PATCH', `/memberships/${person.id}`, { orgRoles: ['requester'], roles });
    expect((await give([role.id])).body.roles).toEqual([{ id: role.id, name: 'Watcher' }]);
    await until('given', async () => (await sees()) === 200);
    expect((await tenant.org('PUT', `/roles/${role.id}/permissions`, { permissions: [] })).status).toBe(200);
    await until('emptied', async () => (await sees()) === 403);
    expect(codeOf(await tenant.org('DELETE', `/roles/${role.id}`))).toBe('ROLE_IN_USE');
    expect((await give([])).status).toBe(200);
    expect((await tenant.org('DELETE', `/roles/${role.id}`)).status).toBe(204);
    const actions = async () => (await auditOf(tenant.admin, role.id)).map(({ action }) => action).join();
    await until('the audit of the role', async () => (await actions()) === 'ROLE_CREATED,ROLE_UPDATED,ROLE_DELETED');
  });
});
