import { newId } from '@accessops/db';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asPlatform, codeOf, fieldsOf, type Harness, newTenant, startHarness, type TestTenant, unique } from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
});
afterAll(() => harness.close());

test('when an admin describes the tenant, then it is told with before and after', async () => {
  const update = async (body: object) => harness.client.updateTenant(body, await acme.asAdmin());
  expect(await update({ name: 'Acme & Sons', domain: 'ACME.example' })).toMatchObject({
    name: 'Acme & Sons',
    domain: 'acme.example',
    version: 2,
  });
  await update({ name: 'Acme & Sons' });
  expect(await update({ domain: '' })).toMatchObject({ domain: '', version: 3 });
  expect(await harness.client.getTenant({}, await acme.asAdmin())).toMatchObject({ id: acme.id, slug: acme.slug, version: 3 });
  const told = (await harness.eventsOf(acme.id)).filter(({ action }) => action === 'TENANT_UPDATED');
  expect(told).toMatchObject([
    { entityType: 'TENANT', entityId: acme.id, changes: { name: { after: 'Acme & Sons' }, domain: { before: '', after: 'acme.example' } } },
    { changes: { domain: { before: 'acme.example', after: '' } } },
  ]);
  expect(await fieldsOf(update({ name: ' ' }))).toEqual(['/name']);
  expect(await fieldsOf(update({ domain: 'no domain' }))).toEqual(['/domain']);
});

test('when somebody is not an admin, then they may not change the tenant', async () => {
  for (const role of ['manager', 'auditor', 'approver', 'requester']) {
    const options = await acme.as(await acme.add(unique(role), [role]), [role]);
    expect(await codeOf(harness.client.updateTenant({ name: 'X' }, options))).toBe('PERMISSION_DENIED');
    expect(await codeOf(harness.client.getTenant({}, options))).toBe(role === 'manager' || role === 'auditor' ? 'ok' : 'PERMISSION_DENIED');
  }
});

test('when platform staff suspend and activate a tenant, then its own log tells of it', async () => {
  const tenant = await newTenant(harness);
  const suspend = async () => harness.client.suspendTenant({ id: tenant.id }, await asPlatform());
  const activate = async () => harness.client.activateTenant({ id: tenant.id }, await asPlatform());
  expect(await codeOf(activate())).toBe('TENANT_ALREADY_ACTIVE');
  expect(await suspend()).toMatchObject({ id: tenant.id, status: 'SUSPENDED', version: 2 });
  expect(await codeOf(suspend())).toBe('TENANT_ALREADY_SUSPENDED');
  expect(await activate()).toMatchObject({ status: 'ACTIVE', version: 3 });
  const told = (await harness.eventsOf(tenant.id)).filter(
    ({ entityType, action }) => entityType === 'TENANT' && action !== 'TENANT_CREATED',
  );
  expect(told).toMatchObject([
    {
      type: 'TenantUpdated',
      action: 'TENANT_SUSPENDED',
      actor: { email: 'root@accessops.test' },
      changes: { status: { before: 'ACTIVE', after: 'SUSPENDED' } },
    },
    { action: 'TENANT_ACTIVATED', changes: { status: { before: 'SUSPENDED', after: 'ACTIVE' } } },
  ]);
});

test('when a tenant is suspended many times at once, then it happens once', async () => {
  const tenant = await newTenant(harness);
  const options = await asPlatform();
  const codes = await Promise.all(Array.from({ length: 6 }, () => codeOf(harness.client.suspendTenant({ id: tenant.id }, options))));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect((await harness.eventsOf(tenant.id)).filter(({ action }) => action === 'TENANT_SUSPENDED')).toHaveLength(1);
});

test('when suspending is repeated under its Idempotency-Key, then the first answer comes again', async () => {
  const tenant = await newTenant(harness);
  const suspend = async () =>
    harness.client.suspendTenant({ id: tenant.id }, await asPlatform('platform-admin', { idempotencyKey: `POST suspend ${tenant.id}` }));
  const first = await suspend();
  expect(await suspend()).toEqual(first);
});

test('when there is no such tenant, then it is TENANT_NOT_FOUND', async () => {
  for (const id of [newId(), 'no-uuid']) {
    expect(await codeOf(harness.client.suspendTenant({ id }, await asPlatform()))).toBe('TENANT_NOT_FOUND');
    expect(await codeOf(harness.client.activateTenant({ id }, await asPlatform()))).toBe('TENANT_NOT_FOUND');
    expect(await codeOf(harness.client.getAnyTenant({ id }, await asPlatform()))).toBe('TENANT_NOT_FOUND');
  }
});

test('when platform staff list tenants, then support may look and only admins may act', async () => {
  const query = { filters: [{ field: 'slug', operator: Operator.EQ, values: [acme.slug] }] };
  for (const role of ['platform-admin', 'platform-support'] as const) {
    expect((await harness.client.listTenants({ query }, await asPlatform(role))).items).toMatchObject([{ id: acme.id }]);
    expect(await harness.client.getAnyTenant({ id: acme.id }, await asPlatform(role))).toMatchObject({ slug: acme.slug });
  }
  const sorted = await harness.client.listTenants({ query: { limit: 2, sort: [{ field: 'createdAt' }] } }, await asPlatform());
  expect(sorted.items[0]?.id).toBe(acme.id);
  expect(await codeOf(harness.client.suspendTenant({ id: acme.id }, await asPlatform('platform-support')))).toBe('PERMISSION_DENIED');
});

test('when a tenant admin reaches for the platform, then it is PERMISSION_DENIED, whatever roles they invent', async () => {
  for (const more of [{}, { audience: 'admin' as const }, { realmRoles: ['platform-admin'] }]) {
    const options = await acme.as(acme.admin, ['admin', 'platform-admin'], more);
    expect(await codeOf(harness.client.listTenants({}, options))).toBe('PERMISSION_DENIED');
    expect(await codeOf(harness.client.getAnyTenant({ id: acme.id }, options))).toBe('PERMISSION_DENIED');
    expect(await codeOf(harness.client.suspendTenant({ id: acme.id }, options))).toBe('PERMISSION_DENIED');
  }
});
