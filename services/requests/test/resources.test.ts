import { newId } from '@accessops/db';
import { limitsOf } from '@accessops/license';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { GrantEndedSchema, TeamChangedSchema, TeamDeletedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, outcomes, type Person, refused, requestFields, Suite, Tenant, unknownId } from './suite.ts';

describe('resources', () => {
  let suite: Suite;
  let tenant: Tenant;
  let admin: Person;
  let requester: Person;
  let type: { id: string };

  beforeAll(async () => {
    suite = await Suite.start();
    tenant = new Tenant(suite);
    [admin, requester] = await Promise.all([tenant.admin, tenant.person(['requester'])]);
    type = await tenant.type();
  });
  afterAll(() => suite.stop());

  const newResource = () => ({ key: `res-${newId()}`, name: 'A resource', resourceTypeId: type.id });
  const create = (fields: object = {}, who = admin) => suite.client.createResource({ ...newResource(), ...fields }, who);
  const submit = (id: string, who = requester) => suite.client.submitRequest(requestFields({ id }), who);

  test('when a manager creates one, then it is there with its type, and one event tells of it', async () => {
    const manager = await tenant.person(['manager']);
    const resource = await create({ name: ' Production ' }, manager);
    expect(resource).toMatchObject({
      name: 'Production',
      type: { id: type.id, roles: ['reader', 'writer'] },
      owningTeamId: '',
      ownerId: manager.id,
      version: 1,
    });
    expect(await suite.client.getResource({ id: resource.id }, requester)).toEqual(resource);
    expect(await suite.toldOf(resource.id)).toMatchObject([
      {
        type: 'ResourceChanged',
        action: 'RESOURCE_CREATED',
        actor: { id: manager.id },
        changes: { owningTeamId: { before: null, after: null } },
      },
    ]);
  });

  test.each([
    ['a key with spaces', { key: 'a b' }, ['/key']],
    ['no name and no key', { key: '', name: '' }, ['/key', '/name']],
    ['a type that is not there', { resourceTypeId: unknownId }, ['/resourceTypeId']],
    ['a type that is no id', { resourceTypeId: 'x' }, ['/resourceTypeId']],
    ['a team that is no id', { owningTeamId: 'x' }, ['/owningTeamId']],
  ])('when it comes with %s, then it is named', async (_, fields, pointers) => {
    const error = await refused(create(fields));
    expect([error.code, error.fields.map(({ pointer }) => pointer)]).toEqual(['INVALID_FIELDS', pointers]);
  });

  test('when the type is of another tenant, then it is not there', async () => {
    const foreign = await new Tenant(suite).type();
    expect((await refused(create({ resourceTypeId: foreign.id }))).fields[0]?.pointer).toBe('/resourceTypeId');
  });

  test('when many create the same key at once, then one does; after a delete it is free', async () => {
    const { key } = newResource();
    const results = await outcomes(Array.from({ length: 6 }, () => create({ key })));
    expect(results.sort()).toEqual(['OK', ...Array.from({ length: 5 }, () => 'RESOURCE_KEY_TAKEN')]);
    const { items } = await suite.client.listResources(
      { query: { filters: [{ field: 'key', operator: Operator.EQ, values: [key] }] } },
      admin,
    );
    await suite.client.deleteResource({ id: items[0]?.id ?? '' }, admin);
    await create({ key });
  });

  test('when twenty are created at once and three fit into the license, then three are; a larger license has room', async () => {
    const small = new Tenant(suite);
    const owner = await small.person(['admin'], { licenseTier: 'free' });
    const kind = await small.type();
    const limit = limitsOf('free').resources ?? 0;
    await suite.admin.query(
      `insert into resource (id, tenant_id, key, name, type_id, owning_team_id, owner_id, created_at, updated_at)
       select gen_random_uuid(), $1, 'filler-' || n, 'F', $2, gen_random_uuid(), $3, now(), now() from generate_series(1, $4) as n`,
      [small.id, kind.id, owner.id, limit - 3],
    );
    const add = (who: Person) => suite.client.createResource({ ...newResource(), resourceTypeId: kind.id }, who);
    const results = await outcomes(Array.from({ length: 20 }, () => add(owner)));
    expect(results.filter((result) => result === 'OK')).toHaveLength(3);
    expect([...new Set(results)].sort()).toEqual(['LICENSE_LIMIT_REACHED', 'OK']);
    // A deleted one makes room; so does a license without a limit. No license at all is the smallest.
    const { items } = await suite.client.listResources({ query: { limit: 1 } }, owner);
    await suite.client.deleteResource({ id: items[0]?.id ?? '' }, owner);
    await add(owner);
    expect(await codeOf(add(await small.person(['admin'], { licenseTier: '' })))).toBe('LICENSE_LIMIT_REACHED');
    await add(await small.person(['admin'], { licenseTier: 'enterprise' }));
  });

  describe('and teams', () => {
    const tellTeam = (teamId: string, version = 1, tenantId = tenant.id) =>
      suite.tell('identity', TeamChangedSchema, { teamId, name: 'T', version }, { tenantId, aggregateId: teamId });
    const removeTeam = (teamId: string) =>
      suite.tell('identity', TeamDeletedSchema, { teamId }, { tenantId: tenant.id, aggregateId: teamId });

    test('when the team is told of a moment later, then it is waited for', async () => {
      // Once it listens.
      await suite.settled();
      const owningTeamId = newId();
      const [resource] = await Promise.all([create({ owningTeamId }), tellTeam(owningTeamId)]);
      expect(resource.owningTeamId).toBe(owningTeamId);
    });

    test('when the team never comes or is of another tenant, then the field is named while the caller still waits', async () => {
      const foreign = newId();
      await tellTeam(foreign, 1, newId());
      await suite.settled();
      const errors = await Promise.all([refused(create({ owningTeamId: unknownId })), refused(create({ owningTeamId: foreign }))]);
      expect(errors.map(({ fields }) => fields[0]?.pointer)).toEqual(['/owningTeamId', '/owningTeamId']);
    });

    test('when a team was removed, then what it owned is owned by nobody, and it does not come back', async () => {
      const owningTeamId = await tenant.team();
      const resource = await create({ owningTeamId });
      await removeTeam(owningTeamId);
      await tellTeam(owningTeamId, 7);
      await suite.settled();
      expect((await suite.client.getResource({ id: resource.id }, admin)).owningTeamId).toBe('');
      const told = await suite.toldOf(resource.id);
      expect(told[1]).toMatchObject({
        action: 'RESOURCE_UPDATED',
        actor: { id: 'requests', type: 'system' },
        changes: { owningTeamId: { before: owningTeamId, after: null } },
      });
      expect((await refused(create({ owningTeamId }))).fields[0]?.pointer).toBe('/owningTeamId');
    });

    test('when a team is removed while it is given a resource, then no resource keeps it', async () => {
      for (let trial = 0; trial < 10; trial++) {
        const owningTeamId = await tenant.team();
        const [, [outcome]] = await Promise.all([removeTeam(owningTeamId), outcomes([create({ owningTeamId })])]);
        expect(['OK', 'INVALID_FIELDS']).toContain(outcome);
        await suite.settled();
        const { rows } = await suite.admin.query('select id from resource where owning_team_id = $1', [owningTeamId]);
        expect(rows).toEqual([]);
      }
    });
  });

  test('when it is changed, then only what is named changes, and the event says what', async () => {
    const resource = await create();
    const owningTeamId = await tenant.team();
    const changed = await suite.client.updateResource({ id: resource.id, owningTeamId }, admin);
    expect(changed).toMatchObject({ name: resource.name, owningTeamId, version: 2 });
    expect(await suite.client.updateResource({ id: resource.id, name: 'New', owningTeamId: '' }, admin)).toMatchObject({
      name: 'New',
      owningTeamId: '',
      version: 3,
    });
    expect((await suite.toldOf(resource.id)).map(({ action, changes }) => [action, changes]).slice(1)).toEqual([
      ['RESOURCE_UPDATED', { owningTeamId: { before: null, after: owningTeamId } }],
      ['RESOURCE_UPDATED', { name: { before: 'A resource', after: 'New' }, owningTeamId: { before: owningTeamId, after: null } }],
    ]);
    expect((await refused(suite.client.updateResource({ id: resource.id, name: '' }, admin))).fields[0]?.pointer).toBe('/name');
  });

  test('when it is deleted, then requests that wait are LAPSED, and the others stay what they are until provisioning tells', async () => {
    const { id } = await create();
    const [approved, waiting] = [await submit(id), await submit(id, await tenant.person(['requester']))];
    await suite.client.settleRequest({ id: approved.id, outcome: 'APPROVED' }, await tenant.approvals());
    await suite.client.deleteResource({ id }, admin);
    expect(await codeOf(suite.client.deleteResource({ id }, admin))).toBe('RESOURCE_NOT_FOUND');
    expect(await codeOf(submit(id))).toBe('RESOURCE_NOT_FOUND');
    const statusOf = async (request: { id: string }) => (await suite.client.getRequest({ id: request.id }, admin)).status;
    expect([await statusOf(approved), await statusOf(waiting)]).toEqual(['APPROVED', 'LAPSED']);
    expect(await suite.client.settleRequest({ id: waiting.id, outcome: 'APPROVED' }, await tenant.approvals())).toMatchObject({
      status: 'LAPSED',
    });
    expect((await suite.actionsOf(waiting.id)).at(-1)).toBe('REQUEST_LAPSED');
    const ended = { requestId: approved.id, grantId: newId(), status: 'REVOKED' };
    await suite.tell('provisioner', GrantEndedSchema, ended, { tenantId: tenant.id, aggregateId: approved.id });
    await suite.settled();
    expect(await statusOf(approved)).toBe('REVOKED');
    expect(await suite.actionsOf(id)).toEqual(['RESOURCE_CREATED', 'RESOURCE_DELETED']);
  });

  test('when it is deleted while somebody files for it, then nothing is left that waits, thirty times', async () => {
    for (let trial = 0; trial < 30; trial++) {
      const { id } = await create();
      // Known to the service already, so that only the database can tell that it has gone.
      if (trial % 2) await suite.client.cancelRequest({ id: (await submit(id)).id }, requester);
      const results = await outcomes([submit(id), suite.client.deleteResource({ id }, admin)]);
      expect([
        ['OK', 'OK'],
        ['RESOURCE_NOT_FOUND', 'OK'],
      ]).toContainEqual(results);
      const { rows } = await suite.admin.query(`select 1 from access_request where resource_id = $1 and status = 'PENDING'`, [id]);
      expect(rows).toEqual([]);
    }
  });

  test('when somebody without the role for it tries, then it is refused', async () => {
    const { id } = await create();
    const [manager, auditor] = await Promise.all([tenant.person(['manager']), tenant.person(['auditor'])]);
    expect(await codeOf(create({}, requester))).toBe('PERMISSION_DENIED');
    expect(await codeOf(suite.client.updateResource({ id, name: 'x' }, auditor))).toBe('PERMISSION_DENIED');
    expect(await codeOf(suite.client.deleteResource({ id }, manager))).toBe('PERMISSION_DENIED');
    expect(await codeOf(suite.client.getResource({ id }, await tenant.person([])))).toBe('PERMISSION_DENIED');
    for (const who of [requester, auditor, manager]) expect((await suite.client.getResource({ id }, who)).id).toBe(id);
  });

  test('when it is of another tenant or nowhere, then it is not found', async () => {
    const resource = await create();
    const stranger = await new Tenant(suite).admin;
    for (const [id, who] of [
      [resource.id, stranger],
      [unknownId, admin],
      ['nonsense', admin],
    ] as const) {
      const calls = [
        suite.client.getResource({ id }, who),
        suite.client.updateResource({ id, name: 'x' }, who),
        suite.client.deleteResource({ id }, who),
      ];
      expect(await outcomes(calls)).toEqual(Array(3).fill('RESOURCE_NOT_FOUND'));
    }
  });

  test('when the catalog is listed, then filters, sorts and pages hold, and nothing foreign or deleted is there', async () => {
    const own = new Tenant(suite);
    const reader = await own.person(['requester']);
    const [low, high] = await Promise.all([own.type(), own.type({ sensitivity: 'high' })]);
    const made: string[] = [];
    for (const [name, of] of [
      ['b', low],
      ['a', high],
      ['c', low],
      ['d', high],
    ] as const)
      made.push((await own.resource(of, { name })).id);
    await suite.client.deleteResource({ id: made[3] ?? '' }, await own.admin);
    const names = async (query: object) => (await suite.client.listResources({ query }, reader)).items.map(({ name }) => name);
    expect(await names({})).toEqual(['c', 'a', 'b']);
    expect(await names({ sort: [{ field: 'name', descending: false }] })).toEqual(['a', 'b', 'c']);
    expect(await names({ filters: [{ field: 'resourceTypeId', operator: Operator.EQ, values: [low.id] }] })).toEqual(['c', 'b']);
    const seen: string[] = [];
    for (const field of ['resourceTypeId', 'owningTeamId']) {
      let after = '';
      do {
        const { items, page } = await suite.client.listResources(
          { query: { limit: 1, after, sort: [{ field, descending: false }] } },
          reader,
        );
        seen.push(...items.map(({ id }) => id));
        after = page?.next ?? '';
      } while (after);
    }
    expect(seen.sort()).toEqual([...made.slice(0, 3), ...made.slice(0, 3)].sort());
  });
});
