import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, type Person, requestFields, Suite, Tenant, unknownId } from './suite.ts';

describe('reading one request', () => {
  let suite: Suite;
  let tenant: Tenant;
  let requester: Person;
  let id: string;

  beforeAll(async () => {
    suite = await Suite.start();
    tenant = new Tenant(suite);
    requester = await tenant.person(['requester']);
    id = (await tenant.pending(requester)).id;
  });
  afterAll(() => suite.stop());

  const read = async (who: Person | Promise<Person>, request = id) => suite.client.getRequest({ id: request }, await who);

  test.each([['admin'], ['auditor'], ['approver']])('when an %s asks, then it is shown', async (role) => {
    expect((await read(tenant.person([role]))).id).toBe(id);
  });

  test('when its requester or the approvals service asks, then it is shown', async () => {
    expect((await read(requester)).requesterId).toBe(requester.id);
    expect((await read(tenant.approvals())).status).toBe('PENDING');
  });

  test.each([['requester'], ['manager']])('when another %s of the tenant asks, then it is refused', async (role) => {
    expect(await codeOf(read(tenant.person([role])))).toBe('PERMISSION_DENIED');
  });

  test('when a stage names a team, then its members may see it and others may not', async () => {
    const teamId = await tenant.team();
    const resource = await tenant.resource(await tenant.type({ sensitivity: 'low', pii: true }), { owningTeamId: teamId });
    const request = await suite.client.submitRequest(requestFields(resource, { duration: 'PT1H' }), requester);
    expect(request.stages[0]).toMatchObject({ name: 'owning-team', roles: [], teamId });
    expect((await read(tenant.person(['requester'], { teams: [{ id: teamId, role: 'member' }] }), request.id)).id).toBe(request.id);
    expect(await codeOf(read(tenant.person(['requester'], { teams: [{ id: unknownId, role: 'lead' }] }), request.id))).toBe(
      'PERMISSION_DENIED',
    );
    expect(await codeOf(read(tenant.person(['approver']), request.id))).toBe('PERMISSION_DENIED');
  });

  test('when the admin of another tenant asks, or there is none, then it is not found', async () => {
    const elsewhere = new Tenant(suite);
    expect(await codeOf(read(elsewhere.admin))).toBe('REQUEST_NOT_FOUND');
    expect(await codeOf(read(elsewhere.approvals()))).toBe('REQUEST_NOT_FOUND');
    for (const wrong of [unknownId, 'nonsense', '']) expect(await codeOf(read(requester, wrong))).toBe('REQUEST_NOT_FOUND');
  });

  test('when somebody of no tenant asks, then it is not found', async () => {
    const staff = await tenant.person([], { tenantId: null, audience: 'admin', realmRoles: ['platform-admin'] });
    expect(await codeOf(read(staff))).toBe('REQUEST_NOT_FOUND');
  });
});
