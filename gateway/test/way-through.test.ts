import { randomUUID } from 'node:crypto';
import { infrastructure, until } from '@accessops/testing';
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { connect } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FieldType, operatorsOf, sortableOf } from '../src/list-query.ts';
import { routes } from '../src/routes/index.ts';
import { type Call, type Item, type Person, startWorld, type World } from './world.ts';

/** Every answer on the way is held against what its route declares, by `call` itself. */
describe('the way through', () => {
  let world: World;
  let call: Call;
  let slug: string;
  let admin: Person;
  let requester: Person;
  let approver: Person;
  let type: Item;

  const as = (person: Person) => ({
    get: async (path: string) => (await call('GET', path, { token: person.token })).body,
    post: async (path: string, body?: unknown) => {
      const answer = await call('POST', path, { token: person.token, body });
      if (answer.status >= 300) throw new Error(`POST ${path}: ${answer.text}`);
      return answer.body;
    },
    patch: async (path: string, body: unknown) => (await call('PATCH', path, { token: person.token, body })).body,
    remove: async (path: string) => (await call('DELETE', path, { token: person.token })).status,
  });

  beforeAll(async () => {
    world = await startWorld();
    call = world.call;
    ({ slug, admin } = await world.organization());
    requester = await world.person(admin, slug, ['requester']);
    approver = await world.person(admin, slug, ['approver']);
    const body = {
      key: 'database',
      name: 'Database',
      connector: 'simulated',
      roles: ['reader', 'writer'],
      sensitivity: 'medium',
      maxDuration: 'P1D',
      pricePerHour: { amount: 250, currency: 'EUR' },
      parametersSchema: { type: 'object', properties: { table: { type: 'string' } }, additionalProperties: false },
      config: { latencyMs: 5 },
    };
    type = (await as(admin).post('/org/resource-types', body)) as Item;
  });
  afterAll(() => world.close());

  const resource = async () =>
    (await as(admin).post('/org/resources', { key: `r-${randomUUID()}`, name: 'R', resourceTypeId: type.id })) as Item;
  const file = (resourceId: string, more = {}) =>
    as(requester).post('/requests', { resourceId, role: 'reader', justification: 'An incident', duration: 'PT4H', ...more });

  test('when a request is filed and approved, then everything on the way answers as declared', async () => {
    const { id: resourceId } = await resource();
    const request = (await file(resourceId, { parameters: { table: 'customer' }, ticket: 'OPS-1' })) as Item;
    expect(request).toMatchObject({
      status: 'PENDING',
      requiredApprovals: 1,
      stages: [{ name: 'approval', required: 1, roles: ['approver', 'admin'], teamId: null }],
      requesterId: requester.id,
      parameters: { table: 'customer' },
      ticket: 'OPS-1',
      jobId: null,
      grantId: null,
      duration: 'PT4H',
    });
    const read = await call('GET', `/requests/${request.id}`, { token: requester.token });
    expect([read.body, read.headers.etag]).toEqual([request, `W/"${request.version}"`]);
    const pending = await until(async () =>
      (await as(approver).get('/approvals/pending')).items?.find(({ requestId }) => requestId === request.id),
    );
    expect(pending).toMatchObject({ requesterEmail: requester.email, approvals: 0, requiredApprovals: 1 });
    expect(await as(approver).post(`/requests/${request.id}/approve`, { comment: 'Fine' })).toEqual({
      requestId: request.id,
      stage: 'approval',
      status: 'APPROVED',
      approvals: 1,
      requiredApprovals: 1,
    });
    expect(await as(approver).get(`/approvals/${request.id}`)).toMatchObject({
      votes: [{ deciderId: approver.id, verdict: 'APPROVE', comment: 'Fine', stage: 'approval' }],
    });
    const active = await until(async () => {
      const now = await as(requester).get(`/requests/${request.id}`);
      return now.status === 'ACTIVE' && now;
    });
    const job = await as(requester).get(`/jobs/${active.jobId}/status`);
    expect(job).toMatchObject({ requestId: request.id, kind: 'PROVISION', attempts: 1 });
    expect((await as(admin).get(`/org/jobs?filter[requestId][eq]=${request.id}`)).items).toHaveLength(1);
    expect((await as(requester).get('/grants/me')).items).toMatchObject([{ id: active.grantId, holderId: requester.id, endedAt: null }]);
    expect(await as(requester).get(`/grants/${active.grantId}`)).toMatchObject({
      status: 'ACTIVE',
      requestId: request.id,
      cost: { amount: 0, currency: 'EUR', pricePerHour: { amount: 250, currency: 'EUR' } },
    });
    const { publicKey, privateKey } = await generateKeyPair('ECDH-ES+A256KW', { crv: 'X25519' });
    const credential = `/grants/${active.grantId}/credential`;
    const bad = await call('POST', credential, { token: requester.token, body: { publicKey: { kty: 'EC', crv: 'P-255' } } });
    expect([bad.status, bad.body.errors?.[0]?.pointer]).toEqual([422, '/publicKey/crv']);
    const { jwe } = await as(requester).post(credential, { publicKey: await exportJWK(publicKey) });
    const { plaintext } = await compactDecrypt(String(jwe), privateKey);
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({ username: expect.any(String), password: expect.any(String) });
    const again = await call('POST', `/grants/${active.grantId}/credential`, {
      token: requester.token,
      headers: { 'idempotency-key': 'k' },
    });
    expect([again.status, again.body.error?.code]).toEqual([410, 'CREDENTIAL_ALREADY_READ']);
    expect((await as(admin).get('/org/grants')).items).toHaveLength(1);
    expect((await as(admin).post(`/org/grants/${active.grantId}/revoke`)).id).toBe(active.grantId);
    await until(async () => (await as(requester).get(`/requests/${request.id}`)).status === 'REVOKED');
  });

  test('when a call without a body takes none, then none, an empty one and {} are the same', async () => {
    for (const body of [undefined, '', {}]) {
      const request = await file((await resource()).id);
      const answer = await call('POST', `/requests/${request.id}/cancel`, { token: requester.token, body });
      expect(answer.body).toMatchObject({ status: 'CANCELLED' });
    }
    const request = await file((await resource()).id);
    const odd = await call('POST', `/requests/${request.id}/cancel`, { token: requester.token, body: { status: 'ACTIVE' } });
    expect([odd.status, odd.body.errors?.[0]?.pointer]).toEqual([422, '/status']);
  });

  test('when the catalog is read, then it shows everything but the connector configuration', async () => {
    const { id } = await resource();
    const shown = await as(requester).get(`/catalog/resources/${id}`);
    expect(shown.type).toEqual({
      id: type.id,
      key: 'database',
      name: 'Database',
      connector: 'simulated',
      roles: ['reader', 'writer'],
      sensitivity: 'medium',
      pii: false,
      maxDuration: 'P1D',
      exclusive: false,
      parametersSchema: expect.objectContaining({ type: 'object' }),
      pricePerHour: { amount: 250, currency: 'EUR' },
    });
    expect((await as(requester).get('/catalog/resource-types')).items).toHaveLength(1);
    expect(JSON.stringify(await as(requester).get('/catalog/resources'))).not.toContain('"config"');
    expect((await as(admin).get(`/org/resource-types/${type.id}`)).config).toEqual({ latencyMs: 5 });
  });

  test('when catalog, teams, users and tenant are looked after, then each call answers as declared', async () => {
    const { get, post, patch, remove } = as(admin);
    const team = (await post('/org/teams', { name: 'Owners', description: 'They own' })) as Item;
    expect(await patch(`/org/teams/${team.id}`, { description: null })).toMatchObject({ name: 'Owners', description: null });
    expect(await post(`/org/teams/${team.id}/members`, { userId: requester.id, role: 'lead' })).toMatchObject({
      members: [{ userId: requester.id, role: 'lead' }],
    });
    expect((await as(requester).get('/me/teams')).items).toEqual([{ id: team.id, name: 'Owners', role: 'lead' }]);
    expect((await as(requester).get(`/me/teams/${team.id}/members`)).items).toMatchObject([{ userId: requester.id }]);
    expect(await get('/org/teams')).toMatchObject({ items: [{ id: team.id }], nextCursor: null });

    const owned = await resource();
    expect(await patch(`/org/resources/${owned.id}`, { owningTeamId: team.id })).toMatchObject({ owningTeamId: team.id, name: 'R' });
    expect(await patch(`/org/resources/${owned.id}`, { owningTeamId: null, name: 'S' })).toMatchObject({ owningTeamId: null, name: 'S' });
    expect(await remove(`/org/resources/${owned.id}`)).toBe(204);
    expect((await call('GET', `/org/resources/${owned.id}`, { token: admin.token })).status).toBe(404);

    const spare = (await post('/org/resource-types', {
      key: 'spare',
      name: 'Spare',
      connector: 'simulated',
      roles: ['r'],
      sensitivity: 'low',
      maxDuration: 'PT1H',
    })) as Item;
    expect(spare).toMatchObject({ parametersSchema: null, pricePerHour: null, config: {} });
    expect(await patch(`/org/resource-types/${spare.id}`, { sensitivity: 'high', parametersSchema: { type: 'object' } })).toMatchObject({
      sensitivity: 'high',
      parametersSchema: { type: 'object' },
      maxDuration: 'PT1H',
    });
    expect(await patch(`/org/resource-types/${spare.id}`, { parametersSchema: null })).toMatchObject({ parametersSchema: null });
    expect(await remove(`/org/resource-types/${spare.id}`)).toBe(204);

    expect(await remove(`/org/teams/${team.id}/members/${requester.id}`)).toBe(204);
    expect(await remove(`/org/teams/${team.id}`)).toBe(204);

    expect(await get(`/org/users/${approver.id}`)).toMatchObject({ email: approver.email, orgRoles: ['approver'] });
    expect(await patch(`/org/users/${approver.id}`, { lastName: 'Other' })).toMatchObject({ lastName: 'Other', active: true });
    expect(await patch('/me', { firstName: 'Adele' })).toMatchObject({ firstName: 'Adele', tenant: { slug } });
    expect(await patch('/org/tenant', { domain: 'acme.test' })).toMatchObject({ domain: 'acme.test', slug });
    expect(await patch('/org/tenant', { domain: null, name: 'New name' })).toMatchObject({ domain: null, name: 'New name' });
    expect(await get('/org/tenant')).toMatchObject({ name: 'New name', status: 'ACTIVE' });
    expect(await get('/org/memberships?filter[orgRoles][eq]=approver')).toMatchObject({ items: [{ userId: approver.id }] });
  });

  test('when a session is refreshed, then new tokens come and the old refresh token is worth nothing', async () => {
    const person = await world.person(admin, slug, ['requester']);
    const next = await call('POST', '/auth/refresh', { body: { refreshToken: person.refreshToken } });
    expect(next.status).toBe(200);
    expect((await call('POST', '/auth/refresh', { body: { refreshToken: person.refreshToken } })).body.error?.code).toBe(
      'INVALID_REFRESH_TOKEN',
    );
  });

  test('when a list is paged, filtered and sorted, then pages join without gaps while rows come in', async () => {
    const teams = new Set<string>();
    for (let index = 0; index < 7; index++)
      teams.add(((await as(admin).post('/org/teams', { name: `Page ${index % 2} ${index}` })) as Item).id);
    const seen: string[] = [];
    let cursor: unknown = '';
    for (let page = 0; cursor !== null; page++) {
      const body = await as(admin).get(`/org/teams?limit=2&sort=-name&filter[name][like]=Page%25&cursor=${cursor}`);
      seen.push(...(body.items ?? []).map(({ id }) => id));
      cursor = body.nextCursor;
      if (page === 1) await as(admin).post('/org/teams', { name: 'Page 9 late' });
    }
    expect([seen.length, new Set(seen)]).toEqual([7, teams]);
  });

  const samples: Record<FieldType, string> = {
    uuid: randomUUID(),
    text: 'x',
    time: '2026-11-21T09:30:00Z',
    integer: '7',
    boolean: 'true',
    choice: 'x',
    'text-list': 'x',
  };

  test('when a list declares a field, then the service behind it can filter and sort by it', async () => {
    const root = await world.staff('platform-admin');
    const team = (await as(admin).post('/org/teams', { name: 'Declared' })) as Item;
    await as(admin).post(`/org/teams/${team.id}/members`, { userId: admin.id, role: 'lead' });
    const machine = (await as(admin).post('/org/service-accounts', { name: 'declared', scopes: [] })) as Item;
    const refused: string[] = [];
    for (const { path, list, audience } of routes) {
      if (!list) continue;
      const filters = Object.entries(list.fields).flatMap(([field, type]) =>
        operatorsOf[type].map((operator) => `filter[${field}][${operator}]=${samples[type]}`),
      );
      const sortable = (list.paged ?? true) ? sortableOf(list).slice(0, 8) : [];
      const queries = [
        ...Array.from({ length: Math.ceil(filters.length / 20) }, (_, index) => filters.slice(index * 20, (index + 1) * 20).join('&')),
        ...(sortable.length > 0 ? [`sort=${sortable.join()}`, `sort=${sortable.map((field) => `-${field}`).join()}`] : []),
      ];
      for (const query of ['', ...queries]) {
        const token = audience === 'admin' ? root.token : admin.token;
        const { status } = await call(
          'GET',
          `/${path.replace('{id}', path.includes('service-accounts') ? machine.id : team.id)}?${query}`,
          { token },
        );
        if (status !== 200) refused.push(`${path}?${query} ${status}`);
      }
    }
    expect(refused).toEqual([]);
  });

  test('when a cursor is used by somebody else, for another list, or changed, then it is refused', async () => {
    for (const name of ['A', 'B']) await as(admin).post('/org/teams', { name: `Cursor ${name}` });
    const cursor = String((await as(admin).get('/org/teams?limit=1')).nextCursor);
    const other = await world.person(admin, slug, ['admin'], 'org-admin');
    const elsewhere = await world.organization();
    const code = async (path: string, token: string) => (await call('GET', path, { token })).body.error?.code;
    expect(await code(`/org/teams?cursor=${cursor}`, admin.token)).toBeUndefined();
    expect(await code(`/org/teams?cursor=${cursor}`, other.token)).toBe('INVALID_CURSOR');
    expect(await code(`/org/teams?cursor=${cursor}`, elsewhere.admin.token)).toBe('INVALID_CURSOR');
    expect(await code(`/org/users?cursor=${cursor}`, admin.token)).toBe('INVALID_CURSOR');
    expect(await code(`/org/teams?cursor=${cursor.slice(0, -1)}`, admin.token)).toBe('INVALID_CURSOR');
    expect(await code(`/org/teams?cursor=${cursor}&sort=-name`, admin.token)).toBe('INVALID_CURSOR');
  });

  test('when a call is repeated under its Idempotency-Key, then it acts once; another body is refused', async () => {
    const { id: resourceId } = await resource();
    const body = { resourceId, role: 'reader', justification: 'once', duration: 'PT4H' };
    const send = (more: object) =>
      call('POST', '/requests', { token: requester.token, body: { ...body, ...more }, headers: { 'idempotency-key': 'a key' } });
    const [first, second] = [await send({}), await send({})];
    expect([first.status, second.status, second.text]).toEqual([201, 201, first.text]);
    expect([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']]).toEqual([undefined, 'true']);
    const other = await send({ justification: 'twice' });
    expect([other.status, other.body.error?.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    // The same key for another path is another key.
    const cancel = await call('POST', `/requests/${first.body.id}/cancel`, {
      token: requester.token,
      headers: { 'idempotency-key': 'a key' },
    });
    expect(cancel.status).toBe(200);
  });

  test('when the audit is read, verified and exported, then all three tell the same', async () => {
    const auditor = await world.person(admin, slug, ['auditor'], 'org-admin');
    const { get } = as(auditor);
    const created = await until(
      async () => (await get(`/org/audit?filter[entityId][eq]=${auditor.id}&filter[action][eq]=USER_CREATED`)).items?.[0],
    );
    expect(created).toMatchObject({ actor: { id: admin.id, type: 'user', email: admin.email }, ip: '127.0.0.1' });
    expect(await get('/org/audit/verify')).toMatchObject({ ok: true, brokenAt: null });
    const filter = `filter[sequence][lte]=${created.sequence}`;
    const listed = (await get(`/org/audit?sort=sequence&limit=200&${filter}`)).items ?? [];
    expect(listed.map(({ sequence }) => sequence)).toEqual(listed.map((_, index) => index + 1));
    const jsonl = await call('GET', `/org/audit/export?${filter}`, { token: auditor.token });
    expect(jsonl.headers['content-type']).toBe('application/jsonl');
    expect(
      jsonl.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(listed);
    const csv = await call('GET', `/org/audit/export?format=csv&${filter}`, { token: auditor.token });
    expect(csv.headers['content-type']).toMatch(/^text\/csv/);
    expect(csv.text.trimEnd().split('\r\n')).toHaveLength(listed.length + 1);
    const odd = await call('GET', '/org/audit/export?format=xml', { token: auditor.token });
    expect([odd.status, odd.body.error?.code]).toEqual([400, 'INVALID_PARAMETER']);
    expect((await call('GET', '/org/audit/export?limit=5', { token: auditor.token })).status).toBe(400);
  });

  test('when platform staff look at all tenants, then they see them, and support cannot change them', async () => {
    const [root, support] = [await world.staff('platform-admin'), await world.staff('platform-support')];
    const tenants = (await as(root).get(`/admin/tenants?filter[slug][eq]=${slug}`)).items as Item[];
    expect(tenants).toMatchObject([{ slug, status: 'ACTIVE' }]);
    expect(await as(root).get(`/admin/tenants/${tenants[0]?.id}`)).toEqual(tenants[0]);
    expect((await call('POST', `/admin/tenants/${tenants[0]?.id}/suspend`, { token: support.token })).status).toBe(403);
    expect((await call('POST', `/admin/tenants/${randomUUID()}/suspend`, { token: root.token })).body.error?.code).toBe('TENANT_NOT_FOUND');
    const events = (await as(root).get(`/admin/audit?filter[tenantId][eq]=${tenants[0]?.id}&limit=5`)).items ?? [];
    expect(events).toHaveLength(5);
    for (const event of events) expect(event.tenantId).toBe(tenants[0]?.id);
  });

  test('when services park events, then all their dead letters are one list, newest first, in pages that join', async () => {
    const root = await world.staff('platform-admin');
    const { url, user, password } = infrastructure().nats;
    const nats = await connect({ servers: url, user, pass: password });
    for (let index = 0; index < 3; index++) nats.publish(`${world.namespace}.identity.UserUpdated`, Buffer.from([0xff, 0xff, index]));
    await nats.drain();
    const all = await until(
      async () => {
        const items = (await as(root).get('/admin/dead-letters?limit=200')).items ?? [];
        return new Set(items.map(({ consumer }) => consumer)).size >= 2 && items.length >= 6 && items;
      },
      { timeoutMs: 20_000, what: 'dead letters of several services' },
    );
    const times = all.map(({ parkedAt }) => Date.parse(String(parkedAt)));
    expect(times).toEqual([...times].sort((a, b) => b - a));

    const known = new Set(all.map(({ id }) => id));
    for (const sort of ['-parkedAt', 'parkedAt']) {
      const seen: string[] = [];
      for (let cursor: unknown = ''; cursor !== null; ) {
        const page = await as(root).get(`/admin/dead-letters?limit=2&sort=${sort}&cursor=${cursor}`);
        seen.push(...(page.items ?? []).map(({ id }) => id));
        cursor = page.nextCursor;
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((id) => known.has(id))).toHaveLength(known.size);
    }

    const one = all[0] as Item;
    expect((await as(root).get(`/admin/dead-letters?filter[consumer][eq]=${one.consumer}&filter[id][eq]=${one.id}`)).items).toEqual([one]);
    expect((await as(root).get(`/admin/dead-letters?filter[consumer][ne]=${one.consumer}&filter[id][eq]=${one.id}`)).items).toEqual([]);
    const missing = await call('POST', `/admin/dead-letters/${randomUUID()}/replay`, { token: root.token });
    expect([missing.status, missing.body.error?.code]).toEqual([404, 'DEAD_LETTER_NOT_FOUND']);
    const support = await world.staff('platform-support');
    expect((await call('POST', `/admin/dead-letters/${one.id}/replay`, { token: support.token })).status).toBe(403);
  });
});
