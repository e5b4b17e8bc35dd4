import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, outcomes, type Person, refused, Suite, Tenant, typeFields, unknownId } from './suite.ts';

describe('resource types', () => {
  let suite: Suite;
  let tenant: Tenant;
  let admin: Person;

  beforeAll(async () => {
    suite = await Suite.start();
    tenant = new Tenant(suite);
    admin = await tenant.admin;
  });
  afterAll(() => suite.stop());

  const create = (fields: object = {}, who = admin) => suite.client.createResourceType({ ...typeFields(), ...fields }, who);

  test('when a manager creates one, then it is as it was asked for, and one event tells of it', async () => {
    const fields = {
      ...typeFields(),
      roles: ['reader', 'writer'],
      parametersSchemaJson: '{"type":"object"}',
      sensitivity: 'high',
      pii: true,
      maxDuration: 'P7D',
      exclusive: true,
      pricePerHour: { amount: 250n, currency: 'EUR' },
      configJson: '{"latencyMs":100}',
    };
    const manager = await tenant.person(['manager']);
    const type = await suite.client.createResourceType(fields, manager);
    expect(type).toMatchObject({ ...fields, version: 1 });
    expect(await suite.client.getResourceType({ id: type.id }, manager)).toEqual(type);
    expect(await suite.toldOf(type.id)).toMatchObject([
      {
        type: 'ResourceTypeChanged',
        action: 'RESOURCE_TYPE_CREATED',
        actor: { id: manager.id },
        changes: { key: { before: null, after: fields.key } },
      },
    ]);
  });

  test('when little is said, then the rest is empty', async () => {
    const type = await create();
    expect(type).toMatchObject({ parametersSchemaJson: '', pii: false, exclusive: false, configJson: '{}' });
    expect(type.pricePerHour).toBeUndefined();
  });

  test.each([
    ['a key with capitals', { key: 'Prod-DB' }, '/key'],
    ['no key', { key: '' }, '/key'],
    ['a key of 64 characters', { key: 'k'.repeat(64) }, '/key'],
    ['no name', { name: ' ' }, '/name'],
    ['a connector that there is not', { connector: 'constructor' }, '/connector'],
    ['no roles', { roles: [] }, '/roles'],
    ['an empty role', { roles: ['reader', ''] }, '/roles/1'],
    ['a role twice', { roles: ['reader', 'reader'] }, '/roles/1'],
    ['a schema that is none', { parametersSchemaJson: '{"type":"text"}' }, '/parametersSchema'],
    ['an unknown sensitivity', { sensitivity: 'top-secret' }, '/sensitivity'],
    ['a maximum of 0', { maxDuration: 'PT0S' }, '/maxDuration'],
    ['a maximum in months', { maxDuration: 'P1M' }, '/maxDuration'],
    ['a maximum above a year', { maxDuration: 'P366D' }, '/maxDuration'],
    ['a negative price', { pricePerHour: { amount: -1n, currency: 'EUR' } }, '/pricePerHour/amount'],
    ['a price beyond all measure', { pricePerHour: { amount: 2n ** 62n, currency: 'EUR' } }, '/pricePerHour/amount'],
    ['no currency', { pricePerHour: { amount: 1n, currency: 'eur' } }, '/pricePerHour/currency'],
    ['a config that is no object', { configJson: '3' }, '/config'],
    ['a config that is too large', { configJson: JSON.stringify({ a: 'x'.repeat(20_000) }) }, '/config'],
    ['a config that the connector does not know', { configJson: '{"failFrist":1}' }, '/config/failFrist'],
    ['a config of the wrong type', { configJson: '{"failFirst":"1"}' }, '/config/failFirst'],
    ['a database without a login', { connector: 'postgres', configJson: '{"roles":{"reader":["r"]}}' }, '/config/login'],
    [
      'a role without meaning at the database',
      { connector: 'postgres', roles: ['reader', 'owner'], configJson: '{"login":"prod","roles":{"reader":["r"]}}' },
      '/config/roles/owner',
    ],
    ['a config with half a character', { configJson: '{"a":"\\udc00"}' }, '/config'],
  ])('when it comes with %s, then that field is named', async (_, fields, pointer) => {
    const error = await refused(create(fields));
    expect([error.code, error.fields.map((field) => field.pointer)]).toEqual(['INVALID_FIELDS', [pointer]]);
  });

  test('when many create the same key at once, then one does; elsewhere and after a delete it is free', async () => {
    const key = `same-${typeFields().key}`;
    const results = await outcomes(Array.from({ length: 6 }, () => create({ key })));
    expect(results.sort()).toEqual(['OK', ...Array.from({ length: 5 }, () => 'RESOURCE_TYPE_KEY_TAKEN')]);
    await create({ key }, await new Tenant(suite).admin);
    const filters = [{ field: 'key', operator: Operator.EQ, values: [key] }];
    const { items } = await suite.client.listResourceTypes({ query: { filters } }, admin);
    await suite.client.deleteResourceType({ id: items[0]?.id ?? '' }, admin);
    await create({ key });
  });

  test('when it is changed, then only what is named changes, and the event says what', async () => {
    const type = await create({ pricePerHour: { amount: 5n, currency: 'EUR' } });
    const changed = await suite.client.updateResourceType(
      { id: type.id, sensitivity: 'high', roles: ['reader'], parametersSchemaJson: '{}' },
      admin,
    );
    expect(changed).toMatchObject({ name: type.name, sensitivity: 'high', roles: ['reader'], pricePerHour: { amount: 5n }, version: 2 });
    const told = await suite.toldOf(type.id);
    expect(told.map(({ action }) => action)).toEqual(['RESOURCE_TYPE_CREATED', 'RESOURCE_TYPE_UPDATED']);
    expect(told[1]?.changes).toEqual({
      sensitivity: { before: 'medium', after: 'high' },
      roles: { before: ['reader', 'writer'], after: ['reader'] },
      parametersSchema: { before: '', after: '{}' },
    });
  });

  test('when nothing is changed, then nothing is told', async () => {
    const type = await create();
    expect(await suite.client.updateResourceType({ id: type.id, name: type.name }, admin)).toEqual(type);
    expect(await suite.toldOf(type.id)).toHaveLength(1);
  });

  test.each([
    ['maxDuration', { maxDuration: '-PT1H' }],
    ['name', { name: '' }],
    ['parametersSchema', { parametersSchemaJson: '[' }],
    ['config', { configJson: '"x"' }],
  ])('when %s is changed to something wrong, then that field is named', async (field, change) => {
    const type = await create();
    expect((await refused(suite.client.updateResourceType({ id: type.id, ...change }, admin))).fields[0]?.pointer).toBe(`/${field}`);
  });

  test('when it is in use, then it cannot be deleted; afterwards it can, once', async () => {
    const type = await create();
    const resource = await tenant.resource(type);
    expect(await codeOf(suite.client.deleteResourceType({ id: type.id }, admin))).toBe('RESOURCE_TYPE_IN_USE');
    await suite.client.deleteResource({ id: resource.id }, admin);
    const results = await outcomes(Array.from({ length: 3 }, () => suite.client.deleteResourceType({ id: type.id }, admin)));
    expect(results.sort()).toEqual(['OK', 'RESOURCE_TYPE_NOT_FOUND', 'RESOURCE_TYPE_NOT_FOUND']);
    expect(await codeOf(suite.client.getResourceType({ id: type.id }, admin))).toBe('RESOURCE_TYPE_NOT_FOUND');
    expect(await suite.actionsOf(type.id)).toEqual(['RESOURCE_TYPE_CREATED', 'RESOURCE_TYPE_DELETED']);
  });

  test('when it is deleted while a resource of it is created, then never both happen', async () => {
    for (let trial = 0; trial < 20; trial++) {
      const type = await create();
      const results = await outcomes([tenant.resource(type), suite.client.deleteResourceType({ id: type.id }, admin)]);
      expect([
        ['OK', 'RESOURCE_TYPE_IN_USE'],
        ['INVALID_FIELDS', 'OK'],
      ]).toContainEqual(results);
    }
  });

  test('when somebody without the role for it tries, then it is refused', async () => {
    const type = await create();
    const [manager, requester] = await Promise.all([tenant.person(['manager']), tenant.person(['requester'])]);
    expect(await codeOf(create({}, requester))).toBe('PERMISSION_DENIED');
    expect(await codeOf(suite.client.updateResourceType({ id: type.id, name: 'x' }, requester))).toBe('PERMISSION_DENIED');
    expect(await codeOf(suite.client.deleteResourceType({ id: type.id }, manager))).toBe('PERMISSION_DENIED');
    expect((await suite.client.getResourceType({ id: type.id }, requester)).id).toBe(type.id);
  });

  test('when it is of another tenant or nowhere, then it is not found', async () => {
    const type = await create();
    const stranger = await new Tenant(suite).admin;
    expect((await suite.client.listResourceTypes({}, stranger)).items).toEqual([]);
    for (const [id, who] of [
      [type.id, stranger],
      [unknownId, admin],
      ['nonsense', admin],
    ] as const) {
      const calls = [
        suite.client.getResourceType({ id }, who),
        suite.client.updateResourceType({ id, name: 'x' }, who),
        suite.client.deleteResourceType({ id }, who),
      ];
      expect(await outcomes(calls)).toEqual(Array(3).fill('RESOURCE_TYPE_NOT_FOUND'));
    }
  });
});
