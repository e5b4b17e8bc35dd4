import { newId, noTenant } from '@accessops/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asPlatform, codeOf, type Harness, newTenant, startHarness, type TestTenant } from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
});
afterAll(() => harness.close());

const read = { reason: ' INC-4711 ', entityType: 'TENANT', route: 'GET /api/v1/admin/tenants/{id}' };
const record = async (more: object, role: 'platform-admin' | 'platform-support' = 'platform-support') =>
  harness.client.recordSupportRead({ ...read, ...more }, await asPlatform(role, { requestId: 'read-1' }));
const toldTo = async (tenantId: string) => (await harness.eventsOf(tenantId)).filter(({ action }) => action === 'SUPPORT_READ');

test('when support reads about one tenant, then that tenant’s own log tells who, what and why', async () => {
  await record({ tenantId: acme.id, entityId: acme.id });
  expect(await toldTo(acme.id)).toMatchObject([
    {
      type: 'SupportRead',
      entityType: 'TENANT',
      entityId: acme.id,
      actor: { type: 'user', email: 'root@accessops.test' },
      requestId: 'read-1',
      changes: { reason: { after: 'INC-4711' }, route: { after: 'GET /api/v1/admin/tenants/{id}' } },
    },
  ]);
});

test('when it is about several tenants, or one that is not there, then the platform’s log tells of it', async () => {
  const before = (await toldTo(noTenant)).length;
  const unknown = newId();
  await record({ filters: ['status eq ACTIVE'] });
  await record({ tenantId: unknown, entityId: unknown });
  await record({ tenantId: 'no id' });
  const told = (await toldTo(noTenant)).slice(before);
  expect(told).toMatchObject([{ changes: { filters: { after: ['status eq ACTIVE'] } } }, { entityId: unknown }, { entityId: '' }]);
  expect(await toldTo(unknown)).toEqual([]);
});

test('when there is no reason, then nothing is recorded and the code says so', async () => {
  const tenant = await newTenant(harness);
  for (const reason of ['', '  ', 'x', 'a\nb c', 'x'.repeat(501)])
    expect(await codeOf(record({ reason, tenantId: tenant.id }))).toBe('ACCESS_REASON_REQUIRED');
  expect(await toldTo(tenant.id)).toEqual([]);
});

test('when somebody else would record, then it is PERMISSION_DENIED', async () => {
  expect(await codeOf(record({}, 'platform-admin'))).toBe('PERMISSION_DENIED');
  expect(await codeOf(harness.client.recordSupportRead(read, await acme.asAdmin()))).toBe('PERMISSION_DENIED');
  const impostor = await acme.as(acme.admin, ['admin', 'platform-support'], { audience: 'admin' });
  expect(await codeOf(harness.client.recordSupportRead(read, impostor))).toBe('PERMISSION_DENIED');
});
