import { newId } from '@accessops/db';
import { limitsOf } from '@accessops/license';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asPlatform, codeOf, fieldsOf, type Harness, newTenant, password, startHarness, type TestTenant, unique } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const give = async (tenant: TestTenant, tier: string, names?: string[]) =>
  harness.client.updateAnyLicense({ tenantId: tenant.id, change: { tier, flags: names && { names } } }, await asPlatform());
const update = async (tenant: TestTenant, change: object) => harness.client.updateLicense({ change }, await tenant.asAdmin());

/** Fills a tenant up to its limit with users that nobody has to hash a password for. */
const fill = async (tenant: TestTenant, count: number) => {
  await harness.admin.query(
    `insert into app_user (tenant_id, id, email, first_name, last_name, active, org_roles, version, created_at, updated_at)
     select $1, gen_random_uuid(), 'filler' || n || '@' || $2::text, 'F', 'F', true, '{}', 1, now(), now() from generate_series(1, $3) as n`,
    [tenant.id, `${tenant.slug}.test`, count],
  );
};

test('when the platform changes a license, then the tenant’s own log tells of it, once', async () => {
  const tenant = await newTenant(harness);
  expect(await give(tenant, 'enterprise', ['sso', 'scim', 'sso'])).toMatchObject({
    tier: 'enterprise',
    flags: ['scim', 'sso'],
    version: 2,
  });
  expect(await give(tenant, 'enterprise', ['scim', 'sso'])).toMatchObject({ version: 2 });
  expect(await harness.client.getLicense({}, await tenant.asAdmin())).toMatchObject({ tier: 'enterprise' });
  expect((await harness.eventsOf(tenant.id)).filter(({ type }) => type === 'LicenseChanged')).toMatchObject([
    {
      action: 'LICENSE_CHANGED',
      entityType: 'LICENSE',
      entityId: tenant.id,
      actor: { email: 'root@accessops.test' },
      changes: { tier: { before: 'free', after: 'enterprise' }, flags: { before: [], after: ['scim', 'sso'] } },
    },
  ]);
});

test('when a tenant’s admin changes the license, then only downwards', async () => {
  const tenant = await newTenant(harness);
  await give(tenant, 'enterprise', ['scim', 'sso']);
  expect(await codeOf(update(tenant, { flags: { names: ['scim', 'siem', 'sso'] } }))).toBe('PERMISSION_DENIED');
  expect(await update(tenant, { flags: { names: ['sso'] } })).toMatchObject({ tier: 'enterprise', flags: ['sso'] });
  expect(await codeOf(update(tenant, { flags: { names: ['scim', 'sso'] } }))).toBe('PERMISSION_DENIED');
  expect(await update(tenant, { tier: 'team' })).toMatchObject({ tier: 'team', flags: ['sso'] });
  expect(await codeOf(update(tenant, { tier: 'enterprise' }))).toBe('PERMISSION_DENIED');
  // One step up does not hide behind one step down.
  expect(await codeOf(update(tenant, { tier: 'free', flags: { names: ['siem'] } }))).toBe('PERMISSION_DENIED');
  expect(await update(tenant, {})).toMatchObject({ tier: 'team', flags: ['sso'] });
});

test('when a field does not fit, then it is named', async () => {
  const tenant = await newTenant(harness);
  expect(await fieldsOf(update(tenant, { tier: 'gold' }))).toEqual(['/tier']);
  expect(await fieldsOf(update(tenant, { flags: { names: ['ok', 'NOT OK'] } }))).toEqual(['/flags/1']);
  expect(await fieldsOf(give(tenant, ''))).toEqual(['/tier']);
});

test('when roles differ, then so does what may be done', async () => {
  const tenant = await newTenant(harness);
  for (const role of ['manager', 'auditor', 'approver', 'requester']) {
    const options = await tenant.as(await tenant.add(unique(role), [role]), [role]);
    const looks = role === 'manager' || role === 'auditor' ? 'ok' : 'PERMISSION_DENIED';
    expect(await codeOf(harness.client.getLicense({}, options))).toBe(looks);
    expect(await codeOf(harness.client.updateLicense({ change: { tier: 'free' } }, options))).toBe('PERMISSION_DENIED');
    expect(await codeOf(harness.client.getAnyLicense({ tenantId: tenant.id }, options))).toBe('PERMISSION_DENIED');
  }
  const support = await asPlatform('platform-support');
  expect(await codeOf(harness.client.getAnyLicense({ tenantId: tenant.id }, support))).toBe('ok');
  expect(await codeOf(harness.client.updateAnyLicense({ tenantId: tenant.id, change: { tier: 'team' } }, support))).toBe(
    'PERMISSION_DENIED',
  );
  expect(await codeOf(harness.client.updateAnyLicense({ tenantId: tenant.id, change: {} }, await tenant.asAdmin()))).toBe(
    'PERMISSION_DENIED',
  );
  for (const tenantId of [newId(), 'no-uuid'])
    expect(await codeOf(harness.client.getAnyLicense({ tenantId }, await asPlatform()))).toBe('TENANT_NOT_FOUND');
});

test('when twenty users are added at once and three fit, then three are, and a larger license has room again', async () => {
  const tenant = await newTenant(harness);
  const limit = limitsOf('free').users ?? 0;
  await fill(tenant, limit - 1 - 3);
  const options = await tenant.asAdmin();
  const create = () =>
    harness.client.createUser({ email: `${unique('p')}@x.test`, firstName: 'U', lastName: 'U', password, orgRoles: [] }, options);
  const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(create())));
  expect(codes.filter((code) => code === 'ok').length).toBe(3);
  expect([...new Set(codes)].sort()).toEqual(['LICENSE_LIMIT_REACHED', 'ok']);
  const { rows } = await harness.admin.query('select count(*)::int as users from app_user where tenant_id = $1 and active', [tenant.id]);
  expect(rows).toEqual([{ users: limit }]);
  // Nobody is left behind who could log in: the account went with the user.
  const orphans = await harness.admin.query('select 1 from account a where not exists (select 1 from app_user u where u.id = a.id)');
  expect(orphans.rowCount).toBe(0);
  await give(tenant, 'team');
  expect(await codeOf(create())).toBe('ok');
});

test('when there is no room, then nobody comes back either, until somebody leaves', async () => {
  const tenant = await newTenant(harness);
  const [gone, stays] = [await tenant.add('gone', []), await tenant.add('stays', [])];
  const active = async (id: string, to: boolean) => harness.client.updateUser({ id, active: to }, await tenant.asAdmin());
  await active(gone.id, false);
  await fill(tenant, (limitsOf('free').users ?? 0) - 2);
  expect(await codeOf(active(gone.id, true))).toBe('LICENSE_LIMIT_REACHED');
  await active(stays.id, false);
  const codes = await Promise.all([codeOf(active(gone.id, true)), codeOf(active(stays.id, true))]);
  expect(codes.sort()).toEqual(['LICENSE_LIMIT_REACHED', 'ok']);
});
