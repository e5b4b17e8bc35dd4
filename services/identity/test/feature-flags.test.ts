import { newId } from '@accessops/db';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asGateway, codeOf, fieldsOf, type Harness, logIn, newTenant, startHarness, type TestTenant, unique } from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
});
afterAll(() => harness.close());

const create = async (name: string, more: object = {}, tenant = acme) =>
  harness.client.createFeatureFlag({ name, description: '', enabled: true, ...more }, await tenant.asAdmin());
const replace = async (id: string, fields: object) =>
  harness.client.replaceFeatureFlag({ id, name: 'x', description: '', enabled: true, ...fields }, await acme.asAdmin());

test('when a flag is made, switched and deleted, then each is told once', async () => {
  const name = unique('flag');
  const flag = await create(name, { description: 'New' });
  expect(flag).toMatchObject({ name, description: 'New', enabled: true, version: 1 });
  expect(await harness.client.getFeatureFlag({ id: flag.id }, await acme.asAdmin())).toEqual(flag);
  expect(await replace(flag.id, { name, description: 'New', enabled: false })).toMatchObject({ enabled: false, version: 2 });
  expect(await replace(flag.id, { name, description: 'New', enabled: false })).toMatchObject({ version: 2 });
  await harness.client.deleteFeatureFlag({ id: flag.id }, await acme.asAdmin());
  expect(await codeOf(harness.client.getFeatureFlag({ id: flag.id }, await acme.asAdmin()))).toBe('FEATURE_FLAG_NOT_FOUND');
  expect((await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === flag.id)).toMatchObject([
    { type: 'FeatureFlagChanged', action: 'FEATURE_FLAG_CREATED', entityType: 'FEATURE_FLAG', changes: { name: { after: name } } },
    { action: 'FEATURE_FLAG_UPDATED', changes: { enabled: { before: true, after: false } } },
    { action: 'FEATURE_FLAG_DELETED', changes: { name: { before: name } } },
  ]);
});

test('when a name is in use, then it is FEATURE_FLAG_NAME_TAKEN, of many at once for all but one; another tenant may have it', async () => {
  const name = unique('flag');
  const codes = await Promise.all(Array.from({ length: 6 }, () => codeOf(create(name))));
  expect(codes.sort()).toEqual([...Array.from({ length: 5 }, () => 'FEATURE_FLAG_NAME_TAKEN'), 'ok']);
  const other = await create(unique('flag'));
  expect(await codeOf(replace(other.id, { name }))).toBe('FEATURE_FLAG_NAME_TAKEN');
  expect(await codeOf(create(name, {}, await newTenant(harness)))).toBe('ok');
});

test('when a name is no name, or looks like a flag of the license, then /name is named', async () => {
  for (const name of ['', 'A', '1a', 'license.sso', 'a b', 'a'.repeat(64)]) expect(await fieldsOf(create(name))).toEqual(['/name']);
});

test('when flags are listed, then filters and sorts hold and nothing foreign is there', async () => {
  const tenant = await newTenant(harness);
  for (const [name, enabled] of [
    ['b', true],
    ['a', false],
    ['c', true],
  ] as const)
    await create(name, { enabled }, tenant);
  const names = async (query: object) =>
    (await harness.client.listFeatureFlags({ query }, await tenant.asAdmin())).items.map(({ name }) => name);
  expect(await names({})).toEqual(['a', 'b', 'c']);
  expect(await names({ sort: [{ field: 'createdAt', descending: true }] })).toEqual(['c', 'a', 'b']);
  expect(await names({ filters: [{ field: 'enabled', operator: Operator.EQ, values: ['true'] }] })).toEqual(['b', 'c']);
});

test('when a principal is resolved, then it carries the enabled flags and those of the license, told apart', async () => {
  const tenant = await newTenant(harness);
  await create('on', {}, tenant);
  await create('off', { enabled: false }, tenant);
  await harness.admin.query(`update license set tier = 'team', flags = '{sso}' where tenant_id = $1`, [tenant.id]);
  const { subject, sessionId } = await logIn(harness, tenant.admin.email);
  const resolved = await harness.client.resolvePrincipal({ subject, sessionId, organizations: [tenant.slug] }, await asGateway());
  expect(resolved).toMatchObject({ licenseTier: 'team', flags: ['on', 'license.sso'] });
});

test('when somebody is no admin, then they may look at most; of another tenant there is nothing to see', async () => {
  const { id } = await create(unique('flag'));
  for (const role of ['manager', 'auditor', 'approver', 'requester']) {
    const options = await acme.as(await acme.add(unique(role), [role]), [role]);
    const looks = role === 'manager' || role === 'auditor' ? 'ok' : 'PERMISSION_DENIED';
    expect(await codeOf(harness.client.getFeatureFlag({ id }, options))).toBe(looks);
    expect(await codeOf(harness.client.listFeatureFlags({}, options))).toBe(looks);
    expect(await codeOf(harness.client.createFeatureFlag({ name: 'x' }, options))).toBe('PERMISSION_DENIED');
    expect(await codeOf(harness.client.replaceFeatureFlag({ id, name: 'x' }, options))).toBe('PERMISSION_DENIED');
    expect(await codeOf(harness.client.deleteFeatureFlag({ id }, options))).toBe('PERMISSION_DENIED');
  }
  const stranger = await (await newTenant(harness)).asAdmin();
  for (const unknown of [id, newId(), 'no-uuid']) {
    expect(await codeOf(harness.client.getFeatureFlag({ id: unknown }, stranger))).toBe('FEATURE_FLAG_NOT_FOUND');
    expect(await codeOf(harness.client.replaceFeatureFlag({ id: unknown, name: 'x' }, stranger))).toBe('FEATURE_FLAG_NOT_FOUND');
    expect(await codeOf(harness.client.deleteFeatureFlag({ id: unknown }, stranger))).toBe('FEATURE_FLAG_NOT_FOUND');
  }
});
