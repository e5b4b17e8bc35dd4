import { expect, test } from 'vitest';
import { auditOf, call, decide, filed, must, reaches, Tenant, until } from './client.ts';

test('when a resource is removed, then what waits for it lapses, access to it ends, and the audit tells why', async () => {
  const tenant = await Tenant.create('removal');
  const [holder, waiting, approver] = await Promise.all([
    tenant.person('holder', ['requester']),
    tenant.person('waiting', ['requester']),
    tenant.person('approver', ['approver']),
  ]);
  const resource = await tenant.resource((await tenant.type()).id);
  const active = await filed(holder, resource.id);
  await decide(approver, active.id);
  const { grantId } = await reaches(holder, active.id, 'ACTIVE');
  const pending = await filed(waiting, resource.id);

  expect((await tenant.org('DELETE', `/resources/${resource.id}`)).status).toBe(204);
  await reaches(waiting, pending.id, 'LAPSED');
  await reaches(holder, active.id, 'REVOKED');
  expect(await must(200, 'GET', `/grants/${grantId}`, { token: holder.token })).toMatchObject({
    status: 'REVOKED',
    resourceId: resource.id,
  });
  expect((await decide(approver, pending.id)).body.error?.code).toBe('REQUEST_NOT_PENDING');
  expect((await call('GET', `/catalog/resources/${resource.id}`, { token: holder.token })).status).toBe(404);
  const told = async () => JSON.stringify(await auditOf(tenant.admin, String(grantId)));
  await until('the audit tells why', async () => (await told()).includes('RESOURCE_REMOVED'));
});
