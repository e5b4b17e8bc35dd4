import { newId } from '@accessops/db';
import { RequestApprovedSchema, RequestSubmittedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, outcomes, type Person, refused, requestFields, Suite, Tenant, unknownId } from './suite.ts';

describe('filing a request', () => {
  let suite: Suite;
  let tenant: Tenant;
  let requester: Person;
  let resource: { id: string; key: string };

  beforeAll(async () => {
    suite = await Suite.start();
    tenant = new Tenant(suite);
    requester = await tenant.person(['requester']);
    const parametersSchemaJson = JSON.stringify({ type: 'object', properties: { table: { type: 'string' } }, additionalProperties: false });
    resource = await tenant.resource(await tenant.type({ parametersSchemaJson }));
  });
  afterAll(() => suite.stop());

  const submit = (fields: object = {}, who = requester) => suite.client.submitRequest(requestFields(resource, fields), who);
  const countRequests = async () => Number((await suite.admin.query('select count(*) from access_request')).rows[0].count);

  test('when one approval is needed, then the request waits with its plan, and one event tells of it', async () => {
    const request = await submit({ parametersJson: '{"table":"customer"}', ticket: ' OPS-1 ', justification: ' Look at one table ' });
    expect(request).toMatchObject({
      status: 'PENDING',
      requiredApprovals: 1,
      requesterId: requester.id,
      resourceId: resource.id,
      role: 'reader',
      duration: 'PT2H',
      parametersJson: '{"table":"customer"}',
      ticket: 'OPS-1',
      justification: 'Look at one table',
      jobId: '',
      grantId: '',
      version: 1,
    });
    expect(request.stages).toMatchObject([{ name: 'approval', required: 1, roles: ['approver', 'admin'], teamId: '' }]);
    expect(await suite.client.getRequest({ id: request.id }, requester)).toEqual(request);
    const [told, ...more] = await suite.toldOf(request.id);
    expect(more).toEqual([]);
    expect(told).toMatchObject({ action: 'REQUEST_CREATED', actor: { id: requester.id, type: 'user' }, requestId: 'test-request' });
    expect(told?.changes.status).toEqual({ before: null, after: 'PENDING' });
    expect(fromBinary(RequestSubmittedSchema, told?.payload ?? new Uint8Array())).toMatchObject({
      requestId: request.id,
      requesterId: requester.id,
      requesterEmail: requester.email,
      resourceId: resource.id,
      role: 'reader',
      duration: 'PT2H',
      stages: [{ name: 'approval', required: 1, roles: ['approver', 'admin'] }],
    });
  });

  test('when policy asks for nobody, then it is approved at once and provisioning is told all it needs', async () => {
    const free = await tenant.resource(
      await tenant.type({ sensitivity: 'low', configJson: '{"latencyMs":5}', pricePerHour: { amount: 250n, currency: 'EUR' } }),
    );
    const request = await submit({ resourceId: free.id, duration: 'PT1H' });
    expect(request).toMatchObject({ status: 'APPROVED', requiredApprovals: 0, stages: [] });
    const told = await suite.toldOf(request.id);
    expect(told.map(({ action, actor }) => [action, actor])).toEqual([
      ['REQUEST_CREATED', { id: requester.id, type: 'user' }],
      ['REQUEST_APPROVED', { id: 'requests', type: 'system' }],
    ]);
    expect(fromBinary(RequestApprovedSchema, told[1]?.payload ?? new Uint8Array())).toMatchObject({
      requestId: request.id,
      requesterId: requester.id,
      resourceKey: free.key,
      role: 'reader',
      duration: 'PT1H',
      connector: 'simulated',
      configJson: '{"latencyMs":5}',
      parametersJson: '',
      pricePerHour: { amount: 250n, currency: 'EUR' },
    });
  });

  test.each([
    ['low for long', { sensitivity: 'low' }, 'PT2H', 1, ['approval']],
    ['high', { sensitivity: 'high' }, 'PT1H', 2, ['approval']],
    ['low with personal data', { sensitivity: 'low', pii: true }, 'PT1H', 2, ['owning-team', 'admin']],
    ['high with personal data', { sensitivity: 'high', pii: true }, 'PT1H', 4, ['approval', 'owning-team', 'admin']],
  ])('when the type is %s, then the plan says so', async (_, fields, duration, required, names) => {
    const { id } = await tenant.resource(await tenant.type(fields));
    const request = await submit({ resourceId: id, duration });
    expect([request.status, request.requiredApprovals, request.stages.map(({ name }) => name)]).toEqual(['PENDING', required, names]);
  });

  test.each([
    ['a role that the type does not offer', { role: 'owner' }, '/role'],
    ['no role', { role: '' }, '/role'],
    ['no justification', { justification: '  ' }, '/justification'],
    ['too long a justification', { justification: 'x'.repeat(2001) }, '/justification'],
    ['a NUL character', { justification: 'a\0b' }, '/justification'],
    ['a duration of 0', { duration: 'PT0S' }, '/duration'],
    ['a negative duration', { duration: '-PT1H' }, '/duration'],
    ['a duration beyond the maximum', { duration: 'PT24H1S' }, '/duration'],
    ['a duration beyond all measure', { duration: 'P3650D' }, '/duration'],
    ['no duration', { duration: '' }, '/duration'],
    ['months', { duration: 'P1M' }, '/duration'],
    ['too long a ticket', { ticket: 'x'.repeat(201) }, '/ticket'],
    ['a wrong parameter', { parametersJson: '{"table":5}' }, '/parameters/table'],
    ['an unknown parameter', { parametersJson: '{"tenantId":"x"}' }, '/parameters/tenantId'],
    ['parameters that are no object', { parametersJson: '[]' }, '/parameters'],
    ['parameters that would spoil prototypes', { parametersJson: '{"__proto__":{"table":1}}' }, '/parameters'],
  ])('when it comes with %s, then that field is named and nothing is written', async (_, fields, pointer) => {
    const before = await countRequests();
    const error = await refused(submit(fields, await tenant.person(['requester'])));
    expect([error.code, error.fields.map((field) => field.pointer)]).toEqual(['INVALID_FIELDS', [pointer]]);
    expect(await countRequests()).toBe(before);
  });

  test('when several fields are wrong, then all are named', async () => {
    const error = await refused(submit({ role: 'x', duration: 'x', justification: '' }));
    expect(error.fields.map(({ pointer }) => pointer)).toEqual(['/role', '/justification', '/duration']);
  });

  test('when the type takes no parameters, then only none are taken', async () => {
    const plain = await tenant.resource(await tenant.type());
    const error = await refused(submit({ resourceId: plain.id, parametersJson: '{"a":1}' }));
    expect(error.fields[0]?.pointer).toBe('/parameters');
    expect((await submit({ resourceId: plain.id, parametersJson: '{}' })).parametersJson).toBe('');
  });

  test('when there is no such resource here, then it is not found', async () => {
    const elsewhere = new Tenant(suite);
    const foreign = await elsewhere.resource(await elsewhere.type());
    for (const resourceId of [unknownId, 'nonsense', '', foreign.id])
      expect(await codeOf(submit({ resourceId }))).toBe('RESOURCE_NOT_FOUND');
  });

  test.each([[['auditor']], [[]]])('when somebody with the roles %j asks, then it is refused', async (roles) => {
    expect(await codeOf(submit({}, await tenant.person(roles)))).toBe('PERMISSION_DENIED');
  });

  test('when the same is sent eight times at once, then one is filed', async () => {
    const who = await tenant.person(['requester']);
    const results = await outcomes(Array.from({ length: 8 }, () => submit({}, who)));
    expect(results.sort()).toEqual(['OK', ...Array.from({ length: 7 }, () => 'REQUEST_ALREADY_OPEN')]);
    const { rows } = await suite.admin.query('select id from access_request where requester_id = $1', [who.id]);
    expect(rows).toHaveLength(1);
    expect(await suite.actionsOf(rows[0].id)).toEqual(['REQUEST_CREATED']);
  });

  test('when another role, another person or an ended request is concerned, then it is not the same', async () => {
    const who = await tenant.person(['requester']);
    const first = await submit({}, who);
    await submit({ role: 'writer' }, who);
    expect(await codeOf(submit({}, who))).toBe('REQUEST_ALREADY_OPEN');
    await suite.client.cancelRequest({ id: first.id }, who);
    expect((await submit({}, who)).status).toBe('PENDING');
  });

  test('when a machine files it, then the request says who might have done so; when a person does, then nobody', async () => {
    const people = [newId(), newId()];
    const claims = { custodianIds: people };
    const machine = await tenant.person([], { ...claims, type: 'service-account', permissions: ['access_request:create'] });
    const request = await submit({}, machine);
    expect(request.custodianIds).toEqual(people);
    expect((await suite.client.getRequest({ id: request.id }, await tenant.admin)).custodianIds).toEqual(people);
    const [told] = await suite.toldOf(request.id);
    expect(fromBinary(RequestSubmittedSchema, told?.payload ?? new Uint8Array()).custodianIds).toEqual(people);
    expect((await submit({}, await tenant.person(['requester'], claims))).custodianIds).toEqual([]);
  });

  test('when the type changes, then the next request gets the plan of the changed type', async () => {
    const admin = await tenant.admin;
    const type = await tenant.type({ sensitivity: 'low' });
    const { id } = await tenant.resource(type);
    expect((await submit({ resourceId: id, duration: 'PT1H' })).status).toBe('APPROVED');
    await suite.client.updateResourceType({ id: type.id, sensitivity: 'high', maxDuration: 'PT1H' }, admin);
    expect(await submit({ resourceId: id, duration: 'PT1H', role: 'writer' })).toMatchObject({ status: 'PENDING', requiredApprovals: 2 });
    const error = await refused(submit({ resourceId: id, duration: 'PT2H' }, await tenant.person(['requester'])));
    expect(error.fields[0]?.pointer).toBe('/duration');
  });

  test('when the type changes while requests come in, then none is filed by a plan older than the change', async () => {
    const admin = await tenant.admin;
    const type = await tenant.type({ sensitivity: 'low' });
    const { id } = await tenant.resource(type);
    let changed = false;
    const people = await Promise.all(Array.from({ length: 12 }, () => tenant.person(['requester'])));
    const change = suite.client.updateResourceType({ id: type.id, sensitivity: 'high' }, admin).then(() => {
      changed = true;
    });
    const filed = await Promise.all(
      people.map(async (who) => {
        const after = changed;
        const { status } = await submit({ resourceId: id, duration: 'PT1H' }, who);
        return { after, status };
      }),
    );
    await change;
    expect(filed.filter(({ after, status }) => after && status === 'APPROVED')).toEqual([]);
    expect((await submit({ resourceId: id, duration: 'PT1H' })).status).toBe('PENDING');
  });
});

describe('filing a request while the policy decision point is away', () => {
  test('when nobody can decide, then nothing is filed', async () => {
    const up = await Suite.start();
    const tenant = new Tenant(up);
    const requester = await tenant.person(['requester']);
    const resource = await tenant.resource(await tenant.type({ sensitivity: 'low' }));
    const away = await Suite.start({ environment: { CERBOS_ADDRESS: '127.0.0.1:1', DATABASE_URL: up.database.appUrl('requests') } });
    try {
      expect(await codeOf(away.client.submitRequest(requestFields(resource, { duration: 'PT1H' }), requester))).toBe(
        'DEPENDENCY_UNAVAILABLE',
      );
      expect((await up.admin.query('select count(*) from access_request')).rows[0].count).toBe('0');
    } finally {
      await away.stop();
      await up.stop();
    }
  });
});
