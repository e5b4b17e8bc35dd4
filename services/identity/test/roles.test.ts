import type { Principal } from '@accessops/authn';
import { AppError } from '@accessops/errors';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  asGateway,
  codeOf,
  fieldsOf,
  type Harness,
  logIn,
  newTenant,
  type Person,
  startHarness,
  type TestTenant,
  unique,
} from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
});
afterAll(() => harness.close());

type Options = Awaited<ReturnType<TestTenant['asAdmin']>>;

const create = async (permissions: string[], options?: Options, name = unique('role')) =>
  harness.client.createRole({ name, description: '', permissions }, options ?? (await acme.asAdmin()));

const assign = async (person: Person, roleIds: string[], options?: Options, orgRoles: string[] = []) =>
  harness.client.updateMembership({ userId: person.id, orgRoles, roles: { ids: roleIds } }, options ?? (await acme.asAdmin()));

/** Somebody whose only rights are these permissions, and the call options of their token. */
const holder = async (permissions: string[], tenant = acme) => {
  const person = await tenant.add(unique('p'), []);
  const role = await harness.client.createRole({ name: unique('role'), description: '', permissions }, await tenant.asAdmin());
  await harness.client.updateMembership({ userId: person.id, orgRoles: [], roles: { ids: [role.id] } }, await tenant.asAdmin());
  const as = (more?: Partial<Principal>) => tenant.as(person, [], { permissions, ...more });
  return { person, role, as };
};

const missingOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => [],
    (error: unknown) => (error instanceof AppError && error.code === 'CANNOT_GIVE' ? error.members.missing : error),
  );

describe('custom roles', () => {
  test('when a role is made, changed and deleted, then each step is told with what it changed', async () => {
    const name = unique('role');
    const role = await create(['user:list', 'audit_event:list', 'user:list'], undefined, name);
    expect(role).toMatchObject({ name, system: false, permissions: ['audit_event:list', 'user:list'], version: 1 });
    const options = await acme.asAdmin();
    const changed = await harness.client.updateRole({ id: role.id, description: 'Looks', permissions: { items: ['user:list'] } }, options);
    expect(changed).toMatchObject({ description: 'Looks', permissions: ['user:list'], version: 2 });
    expect(await harness.client.updateRole({ id: role.id, description: 'Looks' }, options)).toMatchObject({ version: 2 });
    await harness.client.deleteRole({ id: role.id }, options);
    expect(await codeOf(harness.client.getRole({ id: role.id }, options))).toBe('ROLE_NOT_FOUND');
    const told = (await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === role.id);
    expect(told.map(({ type, action, changes }) => [type, action, changes.permissions])).toEqual([
      ['RoleChanged', 'ROLE_CREATED', { after: ['audit_event:list', 'user:list'] }],
      ['RoleChanged', 'ROLE_UPDATED', { before: ['audit_event:list', 'user:list'], after: ['user:list'] }],
      ['RoleChanged', 'ROLE_DELETED', { before: ['user:list'] }],
    ]);
  });

  test('when a tenant is new, then it has the roles of the platform, and nobody changes them or takes their names', async () => {
    const options = await acme.asAdmin();
    const filters = [{ field: 'system', operator: Operator.EQ, values: ['true'] }];
    const { items } = await harness.client.listRoles({ query: { filters } }, options);
    expect(items.map(({ name }) => name)).toEqual(['admin', 'approver', 'auditor', 'manager', 'requester']);
    const id = items[0]?.id ?? '';
    expect(await codeOf(harness.client.updateRole({ id, permissions: { items: [] } }, options))).toBe('SYSTEM_ROLE');
    expect(await codeOf(harness.client.deleteRole({ id }, options))).toBe('SYSTEM_ROLE');
    expect(await fieldsOf(assign(await acme.add(unique('p'), []), [id]))).toEqual(['/roles/0']);
    expect(await codeOf(create([], undefined, 'Admin'))).toBe('ROLE_NAME_TAKEN');
  });

  test('when a permission does not exist or cannot be given, then it is named', async () => {
    const wrong = ['tenant:suspend', 'tenant:list_any', 'dead_letter:list', 'audit_event:list_any', 'approval:decide', 'me:read'];
    const odd = ['principal:resolve', 'session:login', 'access_request:settle', 'user:*', '*', 'user:fly', 'User:list', '', ' user:list'];
    const permissions = ['user:list', ...wrong, ...odd];
    expect(await fieldsOf(create(permissions))).toEqual([...wrong, ...odd].map((_, index) => `/permissions/${index + 1}`));
  });

  test('when two roles get one name at once, then one does', async () => {
    const name = unique('role');
    const codes = await Promise.all([codeOf(create([], undefined, name)), codeOf(create([], undefined, name.toUpperCase()))]);
    expect(codes.sort()).toEqual(['ROLE_NAME_TAKEN', 'ok']);
  });

  test('when somebody has a role, then it is not deleted', async () => {
    const { person, role } = await holder(['user:list']);
    const options = await acme.asAdmin();
    expect(await codeOf(harness.client.deleteRole({ id: role.id }, options))).toBe('ROLE_IN_USE');
    await assign(person, []);
    expect(await codeOf(harness.client.deleteRole({ id: role.id }, options))).toBe('ok');
  });

  test('when a role is given and deleted at once, then it is either there or was not given', async () => {
    for (let round = 0; round < 6; round++) {
      const [role, person] = [await create(['user:list']), await acme.add(unique('p'), [])];
      const [given, deleted] = await Promise.all([
        codeOf(assign(person, [role.id])),
        codeOf(harness.client.deleteRole({ id: role.id }, await acme.asAdmin())),
      ]);
      expect([
        ['ok', 'ROLE_IN_USE'],
        ['INVALID_FIELDS', 'ok'],
      ]).toContainEqual([given, deleted]);
    }
  });

  test('when roles are given, then the principal and the membership say so', async () => {
    const { person, role } = await holder(['user:list', 'job:retry']);
    const other = await create(['user:list', 'audit_event:list']);
    await assign(person, [role.id, other.id], undefined, ['requester']);
    const { sessionId, subject } = await logIn(harness, person.email);
    const question = { subject, sessionId, organizations: [acme.slug], tenant: '' };
    const resolve = async () => harness.client.resolvePrincipal(question, await asGateway());
    expect(await resolve()).toMatchObject({ orgRoles: ['requester'], permissions: ['audit_event:list', 'job:retry', 'user:list'] });
    const filters = [{ field: 'userId', operator: Operator.EQ, values: [person.id] }];
    const { items } = await harness.client.listMemberships({ query: { filters } }, await acme.asAdmin());
    expect(items[0]?.roles.map(({ name }) => name)).toEqual([role.name, other.name].sort());
    const told = (await harness.eventsOf(acme.id)).filter(
      ({ entityId, action }) => entityId === person.id && action === 'MEMBERSHIP_CHANGED',
    );
    expect(told.at(-1)?.changes).toMatchObject({ roles: { before: [role.name], after: [role.name, other.name].sort() } });

    // Left out, they stay as they are.
    await harness.client.updateMembership({ userId: person.id, orgRoles: [] }, await acme.asAdmin());
    await harness.client.updateRole({ id: role.id, permissions: { items: [] } }, await acme.asAdmin());
    expect(await resolve()).toMatchObject({ orgRoles: [], permissions: ['audit_event:list', 'user:list'] });
  });

  test('when somebody has permissions only, then they may log in for the console, and without any they may not', async () => {
    const { person } = await holder(['user:list']);
    expect((await logIn(harness, person.email, { audience: 'org-admin' })).claims.azp).toBe('accessops-org-admin');
    expect(await codeOf(logIn(harness, person.email, { audience: 'admin' }))).toBe('AUDIENCE_NOT_ALLOWED');
    await assign(person, []);
    expect(await codeOf(logIn(harness, person.email, { audience: 'org-admin' }))).toBe('AUDIENCE_NOT_ALLOWED');
  });

  test('when a role is of another tenant, then it is not there', async () => {
    const globex = await newTenant(harness);
    const role = await create(['user:list']);
    const options = await globex.asAdmin();
    expect(await codeOf(harness.client.getRole({ id: role.id }, options))).toBe('ROLE_NOT_FOUND');
    expect(await codeOf(harness.client.updateRole({ id: role.id, name: 'mine' }, options))).toBe('ROLE_NOT_FOUND');
    expect(await codeOf(harness.client.deleteRole({ id: role.id }, options))).toBe('ROLE_NOT_FOUND');
    const call = harness.client.updateMembership({ userId: globex.admin.id, orgRoles: ['admin'], roles: { ids: [role.id] } }, options);
    expect(await fieldsOf(call)).toEqual(['/roles/0']);
  });
});

describe('nobody gives what they do not have', () => {
  const keeper = ['role:create', 'role:update', 'membership:update', 'user:create'];

  test('when somebody makes or widens a role, then it holds no more than they have themselves', async () => {
    const { as, role } = await holder([...keeper, 'user:list']);
    const options = await as();
    expect(await missingOf(create(['user:list', 'audit_event:list'], options))).toEqual(['audit_event:list']);
    const made = await create(['user:list', 'access_request:list_own'], options);
    const update = (id: string, items: string[]) => harness.client.updateRole({ id, permissions: { items } }, options);
    expect(await missingOf(update(made.id, ['user:list', 'job:retry']))).toEqual(['job:retry']);
    expect(await missingOf(update(role.id, [...keeper, 'tenant:update']))).toEqual(['tenant:update']);
    // Nor do they hand on, under another name, what is in it already.
    const foreign = await create(['user:list', 'audit_event:list']);
    expect(await missingOf(harness.client.updateRole({ id: foreign.id, name: unique('mine') }, options))).toEqual(['audit_event:list']);
    expect((await update(foreign.id, ['user:list'])).permissions).toEqual(['user:list']);
  });

  test('when somebody gives roles, then none that holds more than they have, and no role of the platform that they do not have', async () => {
    const { as, person } = await holder([...keeper, 'user:list']);
    const options = await as();
    const [small, large] = [await create(['user:list']), await create(['user:list', 'audit_event:list'])];
    const other = await acme.add(unique('p'), []);
    expect(await missingOf(assign(other, [small.id, large.id], options))).toEqual(['audit_event:list']);
    expect(await missingOf(assign(person, [large.id], options))).toEqual(['audit_event:list']);
    expect(await codeOf(assign(other, [small.id], options))).toBe('ok');
    for (const orgRole of ['admin', 'manager', 'approver', 'requester', 'auditor']) {
      expect(await missingOf(assign(person, [], options, [orgRole]))).toEqual([orgRole]);
      const user = { email: `${unique('u')}@x.test`, firstName: 'A', lastName: 'B', password: 'quarry lamp seven bridges' };
      expect(await missingOf(harness.client.createUser({ ...user, orgRoles: [orgRole] }, options))).toEqual([orgRole]);
    }
    // What somebody has already, and what is taken away, is not given.
    await assign(other, [small.id, large.id], undefined, ['auditor']);
    expect(await codeOf(assign(other, [large.id], options, ['auditor']))).toBe('ok');
  });

  test('when somebody may deactivate, then they let in again nobody who has more than they have', async () => {
    const { as: asHolder } = await holder(['user:deactivate', 'user:list']);
    const within = await create(['user:list']);
    const beyond = await create(['user:list', 'audit_event:list']);
    const [equal, admin, reader] = [
      await acme.add(unique('p'), []),
      await acme.add(unique('p'), ['admin', 'requester']),
      await acme.add(unique('p'), []),
    ];
    await assign(equal, [within.id]);
    await assign(reader, [beyond.id]);
    const setActive = async ({ id }: Person, active: boolean, options: Options) => harness.client.updateUser({ id, active }, options);
    for (const person of [equal, admin, reader]) await setActive(person, false, await asHolder());
    expect(await missingOf(setActive(equal, true, await asHolder()))).toEqual([]);
    expect(await missingOf(setActive(admin, true, await asHolder()))).toEqual(['admin', 'requester']);
    expect(await missingOf(setActive(reader, true, await asHolder()))).toEqual(['audit_event:list']);
    expect((await setActive(admin, true, await acme.asAdmin())).active).toBe(true);
  });

  test('when somebody has a permission by a role of the platform, then they may give it, but only what it means to them', async () => {
    const { person, role } = await holder(['role:create']);
    await assign(person, [role.id], undefined, ['manager']);
    const options = await acme.as(person, ['manager'], { permissions: ['role:create'] });
    expect(await codeOf(create(['resource:create', 'grant:list_all', 'role:create'], options))).toBe('ok');
    // Reads their own requests as everybody does: as a permission it would open those of others.
    expect(await missingOf(create(['access_request:read', 'resource:delete'], options))).toEqual([
      'access_request:read',
      'resource:delete',
    ]);
  });

  test('when the token still tells of what somebody has lost, then it is not theirs to give', async () => {
    const { as, person } = await holder([...keeper, 'user:list']);
    const options = await as();
    await assign(person, []);
    expect(await missingOf(create(['user:list'], options))).toEqual(['user:list']);
    const manager = await acme.add(unique('p'), ['requester']);
    expect(await missingOf(create(['resource:create'], await acme.as(manager, ['admin'])))).toEqual(['resource:create']);
  });

  test('when a role is widened while somebody gives it who lacks what is added, then nobody has got it from them', async () => {
    for (let round = 0; round < 6; round++) {
      const { as } = await holder(['membership:update', 'user:list']);
      const [role, friend] = [await create(['user:list']), await acme.add(unique('p'), [])];
      const [given, widened] = await Promise.all([
        codeOf(assign(friend, [role.id], await as())),
        codeOf(harness.client.updateRole({ id: role.id, permissions: { items: ['user:list', 'tenant:update'] } }, await acme.asAdmin())),
      ]);
      expect(widened).toBe('ok');
      expect(['ok', 'CANNOT_GIVE']).toContain(given);
      // Given first and widened later, the admin gave it. The order of what was told is the order in which it happened.
      const told = (await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === role.id || entityId === friend.id);
      const order = told.map(({ action }) => action).filter((action) => action === 'ROLE_UPDATED' || action === 'MEMBERSHIP_CHANGED');
      expect(order).toEqual(given === 'ok' ? ['MEMBERSHIP_CHANGED', 'ROLE_UPDATED'] : ['ROLE_UPDATED']);
    }
  });

  test('when somebody loses a permission while they give it, then they had it when they gave it', async () => {
    for (let round = 0; round < 6; round++) {
      const { as, person, role } = await holder([...keeper, 'audit_event:list']);
      const take = round % 2 === 0;
      const [made, taken] = await Promise.all([
        codeOf(create(['audit_event:list'], await as())),
        take
          ? codeOf(assign(person, []))
          : codeOf(harness.client.updateRole({ id: role.id, permissions: { items: keeper } }, await acme.asAdmin())),
      ]);
      expect(taken).toBe('ok');
      const mine = (await harness.eventsOf(acme.id)).filter(
        ({ actor, action, entityId }) =>
          (action === 'ROLE_CREATED' && actor?.id === person.id) ||
          (action === (take ? 'MEMBERSHIP_CHANGED' : 'ROLE_UPDATED') && entityId === (take ? person.id : role.id)),
      );
      const order = mine.map(({ action }) => action);
      expect(['ok', 'CANNOT_GIVE']).toContain(made);
      // Refused, there is nothing to come before the loss.
      expect(order.includes('ROLE_CREATED')).toBe(made === 'ok');
      expect(order.indexOf('ROLE_CREATED')).toBeLessThan(order.lastIndexOf(take ? 'MEMBERSHIP_CHANGED' : 'ROLE_UPDATED'));
    }
  });
});
