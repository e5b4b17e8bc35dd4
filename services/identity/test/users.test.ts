import { newId } from '@accessops/db';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { UserUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, fieldsOf, type Harness, logIn, newTenant, password, startHarness, type TestTenant, unique } from './harness.ts';

let harness: Harness;
let acme: TestTenant;
let globex: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  [acme, globex] = [await newTenant(harness), await newTenant(harness)];
});
afterAll(() => harness.close());

const create = async (changes: object = {}, tenant = acme) =>
  harness.client.createUser(
    { email: `${unique('u')}@${tenant.slug}.test`, firstName: 'Una', lastName: 'User', password, orgRoles: ['requester'], ...changes },
    await tenant.asAdmin(),
  );
const about = async (id: string) => (await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === id);

test('when an admin creates a user, then the user can log in and it is told once', async () => {
  const user = await create({ orgRoles: ['auditor', 'approver', 'auditor'] });
  expect(user).toMatchObject({ firstName: 'Una', active: true, orgRoles: ['approver', 'auditor'], version: 1 });
  expect((await logIn(harness, user.email)).subject).toBe(user.id);
  expect(await about(user.id)).toMatchObject([
    {
      type: 'UserCreated',
      action: 'USER_CREATED',
      actor: { id: acme.admin.id },
      changes: { orgRoles: { after: ['approver', 'auditor'] } },
    },
  ]);
  expect(await harness.client.getUser({ id: user.id }, await acme.asAdmin())).toEqual(user);
});

test('when an address is taken in any tenant, then it is EMAIL_TAKEN', async () => {
  const { email } = await create();
  expect(await codeOf(create({ email }))).toBe('EMAIL_TAKEN');
  expect(await codeOf(create({ email: email.toUpperCase() }, globex))).toBe('EMAIL_TAKEN');
});

test('when a field is wrong, then it is named and nothing is written', async () => {
  const accounts = async () => (await harness.admin.query('select count(*) from account')).rows;
  const before = await accounts();
  expect(await fieldsOf(create({ orgRoles: ['owner'] }))).toEqual(['/orgRoles/0']);
  expect(await fieldsOf(create({ orgRoles: ['admin', 'platform-admin'] }))).toEqual(['/orgRoles/1']);
  expect(await fieldsOf(create({ email: 'x' }))).toEqual(['/email']);
  expect(await codeOf(create({ password: 'short' }))).toBe('PASSWORD_TOO_WEAK');
  expect(await accounts()).toEqual(before);
});

test('when creating is repeated under its Idempotency-Key, then there is one user', async () => {
  const body = { email: `${unique('u')}@acme.test`, firstName: 'Una', lastName: 'User', password, orgRoles: [] };
  const call = { idempotencyKey: 'POST /org/users key-1' };
  const first = await harness.client.createUser(body, await acme.asAdmin(call));
  expect(await harness.client.createUser(body, await acme.asAdmin(call))).toEqual(first);
  expect(await about(first.id)).toHaveLength(1);
});

test('when names change, then it is told with before and after, and what changes nothing is not told', async () => {
  const user = await create();
  const changed = await harness.client.updateUser(
    { id: user.id, firstName: ' Uma ', lastName: 'User' },
    await acme.asAdmin({ requestId: 'req-9' }),
  );
  expect(changed).toMatchObject({ firstName: 'Uma', lastName: 'User', version: 2 });
  await harness.client.updateUser({ id: user.id, firstName: 'Uma' }, await acme.asAdmin());
  const [, told, ...rest] = await about(user.id);
  expect(told).toMatchObject({ action: 'USER_UPDATED', requestId: 'req-9', changes: { firstName: { before: 'Una', after: 'Uma' } } });
  expect(Object.keys(told?.changes ?? {})).toEqual(['firstName']);
  expect(rest).toEqual([]);
});

test('when a user is deactivated and comes back, then sessions end once each and snapshots count up', async () => {
  const user = await create();
  const sessions = [await logIn(harness, user.email), await logIn(harness, user.email)];
  expect(await harness.client.updateUser({ id: user.id, active: false }, await acme.asAdmin())).toMatchObject({
    active: false,
    version: 2,
  });
  await harness.client.updateUser({ id: user.id, active: true }, await acme.asAdmin());
  const events = await harness.eventsOf(acme.id);
  for (const { sessionId } of sessions) {
    const ended = events.filter(({ action, entityId }) => action === 'SESSION_ENDED' && entityId === sessionId);
    expect(ended).toMatchObject([{ actor: { id: acme.admin.id }, changes: { endReason: { after: 'DEACTIVATED' } } }]);
  }
  const told = await about(user.id);
  expect(told.map(({ action }) => action)).toEqual(['USER_CREATED', 'USER_DEACTIVATED', 'USER_REACTIVATED']);
  const snapshots = told.slice(1).map(({ payload }) => fromBinary(UserUpdatedSchema, payload).user);
  expect(snapshots).toMatchObject([
    { id: user.id, active: false, version: 2, orgRoles: ['requester'] },
    { id: user.id, active: true, version: 3 },
  ]);
});

test('when an admin deactivates themselves, then it is refused', async () => {
  const second = await acme.add(unique('second'), ['admin']);
  const options = await acme.as(second, ['admin']);
  expect(await codeOf(harness.client.updateUser({ id: second.id, active: false }, options))).toBe('CANNOT_DEACTIVATE_SELF');
});

test('when the last admin would be deactivated, then it is refused', async () => {
  const tenant = await newTenant(harness);
  // Somebody whose admin role was taken a moment ago still has a token that says admin.
  const former = await tenant.as(await tenant.add('former', []), ['admin']);
  expect(await codeOf(harness.client.updateUser({ id: tenant.admin.id, active: false }, former))).toBe('LAST_ADMIN');
  await tenant.add('another', ['admin']);
  expect(await codeOf(harness.client.updateUser({ id: tenant.admin.id, active: false }, former))).toBe('ok');
});

test('when two last admins deactivate each other at once, then one of them stays', async () => {
  for (let round = 0; round < 10; round++) {
    const tenant = await newTenant(harness);
    const other = await tenant.add('other', ['admin']);
    const [one, two] = [await tenant.asAdmin(), await tenant.as(other, ['admin'])];
    const codes = await Promise.all([
      codeOf(harness.client.updateUser({ id: other.id, active: false }, one)),
      codeOf(harness.client.updateUser({ id: tenant.admin.id, active: false }, two)),
    ]);
    expect(codes.sort()).toEqual(['LAST_ADMIN', 'ok']);
  }
});

test('when a user is of another tenant or none, then it is USER_NOT_FOUND', async () => {
  for (const id of [globex.admin.id, newId(), 'no-uuid', "'; select 1; --"]) {
    const options = await acme.asAdmin();
    expect(await codeOf(harness.client.getUser({ id }, options))).toBe('USER_NOT_FOUND');
    expect(await codeOf(harness.client.updateUser({ id, active: false }, options))).toBe('USER_NOT_FOUND');
    expect(await codeOf(harness.client.updateMembership({ userId: id, orgRoles: [] }, options))).toBe('USER_NOT_FOUND');
  }
});

test('when users are listed page by page with filters, then each comes once and no other', async () => {
  const tenant = await newTenant(harness);
  const names = ['Ann', 'Bob', 'Cid', 'Dan', 'Eve'];
  for (const name of names) await create({ firstName: name, orgRoles: name < 'C' ? ['manager'] : ['requester'] }, tenant);
  const options = await tenant.asAdmin();
  const list = async (query: object) => harness.client.listUsers({ query }, options);
  const seen: string[] = [];
  let after = '';
  do {
    const page = await list({ limit: 2, after, sort: [{ field: 'firstName' }] });
    seen.push(...page.items.map(({ firstName }) => firstName));
    after = page.page?.next ?? '';
  } while (after);
  expect(seen).toEqual(['Ada', ...names]);

  const firstNames = async (filters: object[]) =>
    (await list({ filters, sort: [{ field: 'firstName' }] })).items.map(({ firstName }) => firstName);
  expect(await firstNames([{ field: 'orgRoles', operator: Operator.EQ, values: ['manager'] }])).toEqual(['Ann', 'Bob']);
  expect(await firstNames([{ field: 'orgRoles', operator: Operator.IN, values: ['manager', 'admin'] }])).toEqual(['Ada', 'Ann', 'Bob']);
  expect(await firstNames([{ field: 'firstName', operator: Operator.LIKE, values: ['%v%'] }])).toEqual(['Eve']);
  expect(await firstNames([{ field: 'email', operator: Operator.EQ, values: [tenant.admin.email] }])).toEqual(['Ada']);
  expect(await firstNames([{ field: 'id', operator: Operator.EQ, values: [tenant.admin.id] }])).toEqual(['Ada']);
  expect(await firstNames([{ field: 'active', operator: Operator.EQ, values: ['false'] }])).toEqual([]);
  expect(await firstNames([{ field: 'createdAt', operator: Operator.GT, values: ['2020-01-01T00:00:00Z'] }])).toHaveLength(6);
  for (const field of ['passwordHash', 'tenantId', '__proto__', 'version; drop table']) {
    expect(await codeOf(list({ filters: [{ field, operator: Operator.EQ, values: ['x'] }] }))).toBe('INVALID_FILTER');
    expect(await codeOf(list({ sort: [{ field }] }))).toBe('INVALID_FILTER');
  }
});

test.each([
  ['admin', { list: 'ok', create: 'ok', update: 'ok' }],
  ['manager', { list: 'ok', create: 'PERMISSION_DENIED', update: 'PERMISSION_DENIED' }],
  ['auditor', { list: 'ok', create: 'PERMISSION_DENIED', update: 'PERMISSION_DENIED' }],
  ['approver', { list: 'PERMISSION_DENIED', create: 'PERMISSION_DENIED', update: 'PERMISSION_DENIED' }],
  ['requester', { list: 'PERMISSION_DENIED', create: 'PERMISSION_DENIED', update: 'PERMISSION_DENIED' }],
])('when somebody is %s, then they may %j', async (role, expected) => {
  const person = await acme.add(unique(role), [role]);
  const options = await acme.as(person, [role]);
  const victim = await create();
  const body = { email: `${unique('u')}@acme.test`, firstName: 'Una', lastName: 'User', password, orgRoles: [] };
  expect({
    list: await codeOf(harness.client.listUsers({}, options)),
    create: await codeOf(harness.client.createUser(body, options)),
    update: await codeOf(harness.client.updateUser({ id: victim.id, firstName: 'X' }, options)),
  }).toEqual(expected);
});
