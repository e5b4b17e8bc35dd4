import { noTenant } from '@accessops/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  anonymously,
  as,
  codeOf,
  fieldsOf,
  type Harness,
  logIn,
  newTenant,
  password,
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

const newcomer = async () => {
  const email = `${unique('p')}@people.test`;
  const { user } = await harness.client.register({ email, password, firstName: 'No', lastName: 'Where' }, await anonymously());
  return { id: user?.id ?? '', email };
};

test('when somebody asks who they are, then names, tenant, roles and teams come', async () => {
  const person = await acme.add(unique('p'), ['approver', 'requester']);
  const team = await harness.client.createTeam({ name: unique('Team') }, await acme.asAdmin());
  await harness.client.addTeamMember({ teamId: team.id, userId: person.id, role: 'lead' }, await acme.asAdmin());
  expect(await harness.client.getMe({}, await acme.as(person, ['requester'], { audience: 'app' }))).toMatchObject({
    id: person.id,
    email: person.email,
    firstName: 'Una',
    tenant: { id: acme.id, slug: acme.slug },
    orgRoles: ['approver', 'requester'],
    realmRoles: [],
    teams: [{ id: team.id, name: team.name, role: 'lead' }],
  });
});

test('when somebody of no tenant asks, then there is no tenant', async () => {
  const person = await newcomer();
  const me = await harness.client.getMe({}, await as(person));
  expect(me).toMatchObject({ id: person.id, firstName: 'No', orgRoles: [], teams: [] });
  expect(me.tenant).toBeUndefined();
});

test('when somebody changes their names, then it is told, and tokens carry the new ones', async () => {
  const person = await acme.add(unique('p'), ['requester']);
  const options = await acme.as(person, ['requester'], { audience: 'app' });
  expect(await harness.client.updateMe({ firstName: 'Grace' }, options)).toMatchObject({
    firstName: 'Grace',
    lastName: expect.any(String),
  });
  await harness.client.updateMe({ firstName: 'Grace' }, options);
  const told = (await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === person.id);
  expect(told.map(({ action }) => action)).toEqual(['USER_CREATED', 'USER_UPDATED']);
  expect(told[1]).toMatchObject({ actor: { id: person.id }, changes: { firstName: { before: 'Una', after: 'Grace' } } });
  expect((await logIn(harness, person.email)).claims.given_name).toBe('Grace');
  expect(await fieldsOf(harness.client.updateMe({ lastName: '' }, options))).toEqual(['/lastName']);
});

test('when somebody of no tenant changes their names, then it is told under no tenant', async () => {
  const person = await newcomer();
  expect(await harness.client.updateMe({ lastName: 'Somewhere' }, await as(person))).toMatchObject({ lastName: 'Somewhere' });
  const told = (await harness.eventsOf(noTenant)).filter(({ entityId }) => entityId === person.id);
  expect(told.map(({ action }) => action)).toEqual(['USER_CREATED', 'USER_UPDATED']);
});

test('when a principal is anonymous, unknown, forged or missing, then nothing is answered', async () => {
  expect(await codeOf(harness.client.getMe({}, await anonymously()))).toBe('PERMISSION_DENIED');
  expect(await codeOf(harness.client.getMe({}, await as({})))).toBe('USER_NOT_FOUND');
  expect(await codeOf(harness.client.getMe({}))).toBe('INVALID_TOKEN');
  const options = await as({ ...acme.admin, tenantId: acme.id });
  options.metadata.set('authorization', 'Bearer a.b.c');
  expect(await codeOf(harness.client.getMe({}, options))).toBe('INVALID_TOKEN');
});

test('when somebody is logged in, then they cannot use the doors for those who are not', async () => {
  const options = await acme.asAdmin();
  const body = { email: `${unique('p')}@people.test`, password, firstName: 'A', lastName: 'B' };
  expect(await codeOf(harness.client.register(body, options))).toBe('PERMISSION_DENIED');
  expect(await codeOf(harness.client.login({ email: acme.admin.email, password }, options))).toBe('PERMISSION_DENIED');
  expect(await codeOf(harness.client.refresh({ refreshToken: 'x' }, options))).toBe('PERMISSION_DENIED');
  expect(await codeOf(harness.client.logout({ refreshToken: 'x' }, options))).toBe('PERMISSION_DENIED');
});
