import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { MembershipChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, fieldsOf, type Harness, newTenant, startHarness, type TestTenant, unique } from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
});
afterAll(() => harness.close());

const update = async (userId: string, orgRoles: string[]) =>
  harness.client.updateMembership({ userId, orgRoles }, await acme.asAdmin({ requestId: 'req-m' }));

test('when roles are replaced, then it is told with before, after and a newer snapshot', async () => {
  const person = await acme.add(unique('p'), ['requester']);
  expect(await update(person.id, ['approver', 'manager'])).toMatchObject({
    userId: person.id,
    orgRoles: ['manager', 'approver'],
    version: 2,
  });
  await update(person.id, ['manager', 'approver']);
  const told = (await harness.eventsOf(acme.id)).filter(({ entityType }) => entityType === 'MEMBERSHIP');
  expect(told).toMatchObject([
    {
      type: 'MembershipChanged',
      action: 'MEMBERSHIP_CHANGED',
      entityId: person.id,
      aggregateId: person.id,
      requestId: 'req-m',
      actor: { id: acme.admin.id },
      changes: { orgRoles: { before: ['requester'], after: ['manager', 'approver'] } },
    },
  ]);
  expect(fromBinary(MembershipChangedSchema, told[0]?.payload ?? new Uint8Array()).user).toMatchObject({
    orgRoles: ['manager', 'approver'],
    version: 2,
    active: true,
  });
});

test('when a role is unknown, then the field is named', async () => {
  const person = await acme.add(unique('p'), ['requester']);
  expect(await fieldsOf(update(person.id, ['requester', 'platform-admin']))).toEqual(['/orgRoles/1']);
});

test('when an admin is the last, then nobody can take the role, not even they themselves', async () => {
  const tenant = await newTenant(harness);
  await tenant.add('idle', ['admin']).then(async ({ id }) => harness.client.updateUser({ id, active: false }, await tenant.asAdmin()));
  const demote = async () => harness.client.updateMembership({ userId: tenant.admin.id, orgRoles: ['manager'] }, await tenant.asAdmin());
  expect(await codeOf(demote())).toBe('LAST_ADMIN');
  await tenant.add('second', ['admin']);
  expect(await codeOf(demote())).toBe('ok');
});

test('when the two last admins demote each other at once, then one of them stays', async () => {
  for (let round = 0; round < 20; round++) {
    const tenant = await newTenant(harness);
    const other = await tenant.add('other', ['admin']);
    const [one, two] = [await tenant.asAdmin(), await tenant.as(other, ['admin'])];
    const codes = await Promise.all([
      codeOf(harness.client.updateMembership({ userId: other.id, orgRoles: [] }, one)),
      codeOf(harness.client.updateMembership({ userId: tenant.admin.id, orgRoles: ['requester'] }, two)),
    ]);
    expect(codes.sort()).toEqual(['LAST_ADMIN', 'ok']);
    const left = await harness.admin.query(`select 1 from app_user where tenant_id = $1 and active and 'admin' = any(org_roles)`, [
      tenant.id,
    ]);
    expect(left.rowCount).toBe(1);
  }
});

test('when one admin is demoted while the other is deactivated, then one of them stays', async () => {
  for (let round = 0; round < 10; round++) {
    const tenant = await newTenant(harness);
    const other = await tenant.add('other', ['admin']);
    const [one, two] = [await tenant.asAdmin(), await tenant.as(other, ['admin'])];
    const codes = await Promise.all([
      codeOf(harness.client.updateMembership({ userId: other.id, orgRoles: [] }, one)),
      codeOf(harness.client.updateUser({ id: tenant.admin.id, active: false }, two)),
    ]);
    expect(codes.sort()).toEqual(['LAST_ADMIN', 'ok']);
  }
});

test('when memberships are listed, then they can be filtered by the role that is held', async () => {
  const tenant = await newTenant(harness);
  await tenant.add('one', ['approver', 'requester']);
  await tenant.add('two', ['approver']);
  const list = async (filters: object[]) => (await harness.client.listMemberships({ query: { filters } }, await tenant.asAdmin())).items;
  expect((await list([])).map(({ email }) => email.split('@')[0])).toEqual(['admin', 'one', 'two']);
  expect(await list([{ field: 'orgRoles', operator: Operator.EQ, values: ['approver'] }])).toMatchObject([
    { email: `one@${tenant.slug}.test`, orgRoles: ['approver', 'requester'], active: true, version: 1 },
    { email: `two@${tenant.slug}.test` },
  ]);
  expect(await list([{ field: 'userId', operator: Operator.EQ, values: [tenant.admin.id] }])).toHaveLength(1);
});

test('when somebody is not an admin, then they may not change roles, their own least of all', async () => {
  for (const role of ['manager', 'auditor', 'approver', 'requester']) {
    const person = await acme.add(unique(role), [role]);
    const options = await acme.as(person, [role]);
    expect(await codeOf(harness.client.updateMembership({ userId: person.id, orgRoles: ['admin'] }, options))).toBe('PERMISSION_DENIED');
  }
});
