import { newId } from '@accessops/db';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { TeamDeletedSchema, TeamMembershipChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, fieldsOf, type Harness, newTenant, startHarness, type TestTenant, unique } from './harness.ts';

let harness: Harness;
let acme: TestTenant;
let globex: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  [acme, globex] = [await newTenant(harness), await newTenant(harness)];
});
afterAll(() => harness.close());

const create = async (name = unique('Team'), tenant = acme) =>
  harness.client.createTeam({ name, description: 'A team' }, await tenant.asAdmin());
const add = async (teamId: string, userId: string, role = 'member') =>
  harness.client.addTeamMember({ teamId, userId, role }, await acme.asAdmin());
const remove = async (teamId: string, userId: string) => harness.client.removeTeamMember({ teamId, userId }, await acme.asAdmin());
const about = async (teamId: string) => (await harness.eventsOf(acme.id)).filter(({ entityId }) => entityId === teamId);

test('when a team is created, changed and deleted, then each is told once', async () => {
  const team = await create('Plumbers');
  expect(team).toMatchObject({ name: 'Plumbers', description: 'A team', members: [], version: 1 });
  await harness.client.updateTeam({ id: team.id, name: 'Pipers' }, await acme.asAdmin());
  expect(await harness.client.updateTeam({ id: team.id, name: 'Pipers', description: 'A team' }, await acme.asAdmin())).toMatchObject({
    version: 2,
  });
  await harness.client.deleteTeam({ id: team.id }, await acme.asAdmin());
  expect(await codeOf(harness.client.getTeam({ id: team.id }, await acme.asAdmin()))).toBe('TEAM_NOT_FOUND');
  expect(await about(team.id)).toMatchObject([
    { type: 'TeamChanged', action: 'TEAM_CREATED', changes: { name: { after: 'Plumbers' } } },
    { type: 'TeamChanged', action: 'TEAM_UPDATED', changes: { name: { before: 'Plumbers', after: 'Pipers' } } },
    { type: 'TeamDeleted', action: 'TEAM_DELETED', changes: { name: { before: 'Pipers' } } },
  ]);
});

test('when a name is taken in the tenant, in whatever case, then it is TEAM_NAME_TAKEN; other tenants do not matter', async () => {
  const name = unique('Same');
  await create(name);
  const other = await create();
  expect(await codeOf(create(name.toUpperCase()))).toBe('TEAM_NAME_TAKEN');
  expect(await codeOf(harness.client.updateTeam({ id: other.id, name }, await acme.asAdmin()))).toBe('TEAM_NAME_TAKEN');
  expect(await codeOf(create(name, globex))).toBe('ok');
  const race = unique('Race');
  const codes = await Promise.all(Array.from({ length: 6 }, () => codeOf(create(race))));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
});

test('when a field is wrong, then it is named', async () => {
  expect(await fieldsOf(create(''))).toEqual(['/name']);
  expect(await fieldsOf(create('a\u0000b'))).toEqual(['/name']);
  const team = await create();
  expect(await fieldsOf(harness.client.updateTeam({ id: team.id, description: 'x'.repeat(2001) }, await acme.asAdmin()))).toEqual([
    '/description',
  ]);
  expect(await fieldsOf(add(team.id, acme.admin.id, 'boss'))).toEqual(['/role']);
});

test('when members come, change and go, then the user counts up and each change is told with a snapshot', async () => {
  const [team, other, person] = [await create(), await create(), await acme.add(unique('p'), ['requester'])];
  await add(other.id, person.id);
  const joined = await add(team.id, person.id);
  expect(joined.members).toMatchObject([{ userId: person.id, email: person.email, role: 'member', firstName: 'Una' }]);
  await add(team.id, person.id, 'member');
  expect((await add(team.id, person.id, 'lead')).members).toMatchObject([{ role: 'lead' }]);
  await remove(team.id, person.id);
  expect(await codeOf(remove(team.id, person.id))).toBe('NOT_A_TEAM_MEMBER');
  expect((await harness.client.getTeam({ id: team.id }, await acme.asAdmin())).members).toEqual([]);

  const told = (await about(team.id)).slice(1);
  expect(told).toMatchObject([
    {
      type: 'TeamMembershipChanged',
      action: 'TEAM_MEMBER_ADDED',
      aggregateId: person.id,
      changes: { role: { before: null, after: 'member' } },
    },
    { action: 'TEAM_MEMBER_UPDATED', changes: { role: { before: 'member', after: 'lead' } } },
    { action: 'TEAM_MEMBER_REMOVED', changes: { role: { before: 'lead', after: null }, userId: { before: person.id, after: null } } },
  ]);
  const both = [team.id, other.id].sort();
  expect(told.map(({ payload }) => fromBinary(TeamMembershipChangedSchema, payload).user)).toMatchObject([
    { id: person.id, teamIds: both, version: 3 },
    { teamIds: both, version: 4 },
    { teamIds: [other.id], version: 5 },
  ]);
});

test('when a team with members is deleted, then they are told as they are without it', async () => {
  const [team, other] = [await create(), await create()];
  const people = [await acme.add(unique('p'), []), await acme.add(unique('p'), [])];
  for (const { id } of people) await add(team.id, id);
  await add(other.id, people[0]?.id ?? '');
  await harness.client.deleteTeam({ id: team.id }, await acme.asAdmin());
  const told = (await about(team.id)).at(-1);
  expect(told?.changes.members?.before).toHaveLength(2);
  const { users } = fromBinary(TeamDeletedSchema, told?.payload ?? new Uint8Array());
  expect(users).toHaveLength(2);
  expect(users.find(({ id }) => id === people[0]?.id)).toMatchObject({ teamIds: [other.id], version: 4 });
  expect(users.find(({ id }) => id === people[1]?.id)).toMatchObject({ teamIds: [], version: 3 });
});

test('when members are added while the team is deleted, then nobody stays behind and nothing fails otherwise', async () => {
  for (let round = 0; round < 8; round++) {
    const team = await create();
    const person = await acme.add(unique('p'), []);
    const options = await acme.asAdmin();
    const codes = await Promise.all([
      codeOf(harness.client.addTeamMember({ teamId: team.id, userId: person.id, role: 'lead' }, options)),
      codeOf(harness.client.deleteTeam({ id: team.id }, options)),
      codeOf(harness.client.addTeamMember({ teamId: team.id, userId: acme.admin.id, role: 'member' }, options)),
    ]);
    expect(codes[1]).toBe('ok');
    for (const code of codes) expect(['ok', 'TEAM_NOT_FOUND']).toContain(code);
    expect((await harness.admin.query('select 1 from team_member where team_id = $1', [team.id])).rowCount).toBe(0);
  }
});

test('when members have changed since a team was read, then it is not deleted or changed as it was read', async () => {
  const [{ id }, person] = [await create(), await acme.add(unique('p'), [])];
  const asRead = async (version: number) => {
    const options = await acme.asAdmin();
    options.metadata.set('if-match', String(version));
    return options;
  };
  expect((await add(id, person.id, 'member')).version).toBe(2);
  expect(await codeOf(harness.client.deleteTeam({ id }, await asRead(1)))).toBe('PRECONDITION_FAILED');
  expect((await add(id, person.id, 'member')).version).toBe(2);
  await remove(id, person.id);
  expect(await codeOf(harness.client.updateTeam({ id, name: unique('T') }, await asRead(2)))).toBe('PRECONDITION_FAILED');
  await harness.client.deleteTeam({ id }, await asRead(3));
});

test('when one person is added many times at once, then they are a member once and versions count up without a gap', async () => {
  const [team, person] = [await create(), await acme.add(unique('p'), [])];
  const options = await acme.asAdmin();
  const codes = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      codeOf(harness.client.addTeamMember({ teamId: team.id, userId: person.id, role: index % 2 ? 'lead' : 'member' }, options)),
    ),
  );
  expect(new Set(codes)).toEqual(new Set(['ok']));
  expect((await harness.admin.query('select 1 from team_member where user_id = $1', [person.id])).rowCount).toBe(1);
  const versions = (await about(team.id)).slice(1).map(({ payload }) => fromBinary(TeamMembershipChangedSchema, payload).user?.version);
  expect(versions).toEqual(versions.map((_, index) => index + 2));
});

test('when team or user is of another tenant or none, then it is not found', async () => {
  const [own, foreign] = [await create(), await create(unique('Foreign'), globex)];
  for (const id of [foreign.id, newId(), 'no-uuid']) {
    const options = await acme.asAdmin();
    expect(await codeOf(harness.client.getTeam({ id }, options))).toBe('TEAM_NOT_FOUND');
    expect(await codeOf(harness.client.updateTeam({ id, name: 'X' }, options))).toBe('TEAM_NOT_FOUND');
    expect(await codeOf(harness.client.deleteTeam({ id }, options))).toBe('TEAM_NOT_FOUND');
    expect(await codeOf(harness.client.listTeamMembers({ teamId: id }, options))).toBe('TEAM_NOT_FOUND');
    expect(await codeOf(add(id, acme.admin.id))).toBe('TEAM_NOT_FOUND');
    expect(await codeOf(remove(id, acme.admin.id))).toBe('TEAM_NOT_FOUND');
  }
  expect(await codeOf(add(own.id, globex.admin.id))).toBe('USER_NOT_FOUND');
  expect(await codeOf(remove(own.id, globex.admin.id))).toBe('NOT_A_TEAM_MEMBER');
});

test('when somebody looks at their teams, then they see theirs and the members of theirs only', async () => {
  const [team, other] = [await create(unique('Mine')), await create(unique('Theirs'))];
  const [person, stranger] = [await acme.add(unique('p'), ['requester']), await acme.add(unique('s'), ['requester'])];
  await add(team.id, person.id, 'lead');
  await add(team.id, acme.admin.id);
  await add(other.id, stranger.id);
  const options = await acme.as(person, ['requester'], { audience: 'app', teams: [{ id: team.id, role: 'lead' }] });
  expect((await harness.client.listMyTeams({}, options)).items).toMatchObject([{ id: team.id, name: team.name, role: 'lead' }]);
  const filter = (field: string, value: string) => ({ query: { filters: [{ field, operator: Operator.EQ, values: [value] }] } });
  expect((await harness.client.listMyTeams(filter('id', team.id), options)).items).toHaveLength(1);
  expect((await harness.client.listMyTeams(filter('name', other.name), options)).items).toHaveLength(0);
  expect((await harness.client.listMyTeams(filter('role', 'member'), options)).items).toHaveLength(0);

  const members = await harness.client.listTeamMembers({ teamId: team.id, query: { limit: 1 } }, options);
  const rest = await harness.client.listTeamMembers({ teamId: team.id, query: { limit: 1, after: members.page?.next ?? '' } }, options);
  expect([...members.items, ...rest.items].map(({ email }) => email)).toEqual([acme.admin.email, person.email].sort());
  expect(rest.page?.next).toBe('');
  expect((await harness.client.listTeamMembers({ teamId: team.id, ...filter('userId', person.id) }, options)).items).toMatchObject([
    { role: 'lead' },
  ]);
  expect(await codeOf(harness.client.listTeamMembers({ teamId: other.id }, options))).toBe('PERMISSION_DENIED');
});

test('when somebody is not an admin, then they may not change teams', async () => {
  const team = await create();
  for (const role of ['manager', 'auditor', 'approver', 'requester']) {
    const options = await acme.as(await acme.add(unique(role), [role]), [role]);
    expect(await codeOf(harness.client.createTeam({ name: unique('T') }, options))).toBe('PERMISSION_DENIED');
    expect(await codeOf(harness.client.updateTeam({ id: team.id, name: 'X' }, options))).toBe('PERMISSION_DENIED');
    expect(await codeOf(harness.client.deleteTeam({ id: team.id }, options))).toBe('PERMISSION_DENIED');
    expect(await codeOf(harness.client.addTeamMember({ teamId: team.id, userId: acme.admin.id, role: 'lead' }, options))).toBe(
      'PERMISSION_DENIED',
    );
    expect(await codeOf(harness.client.removeTeamMember({ teamId: team.id, userId: acme.admin.id }, options))).toBe('PERMISSION_DENIED');
    const looks = role === 'manager' || role === 'auditor' ? 'ok' : 'PERMISSION_DENIED';
    expect(await codeOf(harness.client.listTeams({}, options))).toBe(looks);
    expect(await codeOf(harness.client.getTeam({ id: team.id }, options))).toBe(looks);
  }
});
