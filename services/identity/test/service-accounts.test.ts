import { parseApiKey } from '@accessops/authn';
import { AppError } from '@accessops/errors';
import { Operator } from '@accessops/proto/accessops/common/v1/common_pb';
import { ApiKeyChangedSchema, ServiceAccountChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { fromBinary } from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asGateway, asPlatform, codeOf, fieldsOf, type Harness, newTenant, startHarness, type TestTenant, unique } from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
});
afterAll(() => harness.close());

const filing = ['access_request:create', 'access_request:list_own', 'catalog:read'];

const create = async (scopes = filing, tenant = acme) =>
  harness.client.createServiceAccount({ name: unique('ci'), description: 'Builds', scopes }, await tenant.asAdmin());

const newKey = async (serviceAccountId: string) => harness.client.createApiKey({ serviceAccountId }, await acme.asAdmin());

const present = async (key: string, tenant = '') => {
  const presented = parseApiKey(key);
  return harness.client.resolveApiKey({ keyId: presented?.keyId, hash: presented?.hash, tenant }, await asGateway());
};

const keysOf = async (serviceAccountId: string) => (await harness.client.listApiKeys({ serviceAccountId }, await acme.asAdmin())).items;

test('when an account and keys are made, changed and deleted, then each step is told, and never a secret', async () => {
  const account = await create();
  const options = await acme.asAdmin();
  const first = await newKey(account.id);
  const rotation = { serviceAccountId: account.id, keyId: first.id, overlapSeconds: 60 };
  const second = await harness.client.rotateApiKey(rotation, options);
  await harness.client.updateServiceAccount({ id: account.id, scopes: { items: ['catalog:read'] } }, options);
  await harness.client.revokeApiKey({ serviceAccountId: account.id, keyId: second.id }, options);
  await harness.client.deleteServiceAccount({ id: account.id }, options);
  const told = (await harness.eventsOf(acme.id)).filter(({ aggregateId }) => aggregateId === account.id);
  expect(told.map(({ action, entityId }) => [action, entityId])).toEqual([
    ['SERVICE_ACCOUNT_CREATED', account.id],
    ['API_KEY_CREATED', first.id],
    ['API_KEY_ROTATED', second.id],
    ['SERVICE_ACCOUNT_UPDATED', account.id],
    ['API_KEY_REVOKED', second.id],
    ['SERVICE_ACCOUNT_DELETED', account.id],
  ]);
  const text = Buffer.concat(told.map(({ payload }) => payload)).toString('latin1');
  for (const { key } of [first, second]) {
    expect(text).not.toContain(key.slice(30));
    expect(text).not.toContain(parseApiKey(key)?.hash.toString('latin1'));
  }
  for (const { key } of [first, second]) expect(await codeOf(present(key))).toBe('INVALID_API_KEY');
});

test('when a key is made or rotated twice under one Idempotency-Key, then there is one, and it is shown once', async () => {
  const account = await create();
  type Options = Awaited<ReturnType<TestTenant['asAdmin']>>;
  const once = async (work: (options: Options) => Promise<{ id: string; key: string }>) => {
    const idempotencyKey = unique('key');
    const made = await work(await acme.asAdmin({ idempotencyKey }));
    expect(await codeOf(present(made.key))).toBe('ok');
    const again = await work(await acme.asAdmin({ idempotencyKey })).catch((error: unknown) => error);
    expect(again).toMatchObject({ code: 'API_KEY_ALREADY_SHOWN', members: { id: made.id } });
    return made;
  };
  const first = await once((options) => harness.client.createApiKey({ serviceAccountId: account.id }, options));
  const rotation = { serviceAccountId: account.id, keyId: first.id, overlapSeconds: 60 };
  const second = await once((options) => harness.client.rotateApiKey(rotation, options));
  expect((await keysOf(account.id)).map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
  const { rows } = await harness.admin.query(`select string_agg(encode(reply, 'escape'), '') as kept from idempotent_reply`);
  for (const { key } of [first, second]) expect(rows[0].kept).not.toContain(key.slice(30));
});

test('when a key is presented, then it is the account with its scopes, in its own tenant only', async () => {
  const account = await create();
  const { key } = await newKey(account.id);
  expect(await present(key)).toMatchObject({
    principal: {
      id: account.id,
      email: account.name,
      tenant: { id: acme.id, slug: acme.slug },
      orgRoles: [],
      realmRoles: [],
      permissions: filing,
    },
  });
  expect(await codeOf(present(key, acme.slug))).toBe('ok');
  expect(await codeOf(present(key, (await newTenant(harness)).slug))).toBe('NOT_A_MEMBER');
});

test('when a key is made, then it is told once, and only its hash is kept', async () => {
  const account = await create();
  const { key, id, prefix } = await newKey(account.id);
  expect(key.startsWith(prefix)).toBe(true);
  expect(await keysOf(account.id)).toMatchObject([{ id, prefix, key: '' }]);
  const { rows } = await harness.admin.query('select * from api_key where id = $1', [id]);
  expect(rows[0].hash).toEqual(parseApiKey(key)?.hash);
  const row = JSON.stringify(rows[0]);
  for (const secret of [key, key.slice(26), Buffer.from(key).toString('hex')]) expect(row).not.toContain(secret);
});

test('when a secret, an id or the caller is another, then the key is not known', async () => {
  const account = await create();
  const [one, two] = [parseApiKey((await newKey(account.id)).key), parseApiKey((await newKey(account.id)).key)];
  const resolve = async (keyId: string | undefined, hash: Uint8Array | undefined) =>
    codeOf(harness.client.resolveApiKey({ keyId, hash }, await asGateway()));
  expect(await resolve(one?.keyId, two?.hash)).toBe('INVALID_API_KEY');
  expect(await resolve(account.id, one?.hash)).toBe('INVALID_API_KEY');
  expect(await resolve('nonsense', one?.hash)).toBe('INVALID_API_KEY');
  expect(await resolve(one?.keyId, one?.hash.subarray(1))).toBe('INVALID_API_KEY');
  expect(await resolve(one?.keyId, new Uint8Array())).toBe('INVALID_API_KEY');
  expect(await resolve(one?.keyId, one?.hash)).toBe('ok');
  expect(await codeOf(harness.client.resolveApiKey({ ...one }, await acme.asAdmin()))).toBe('PERMISSION_DENIED');
});

test('when a key is rotated, then the old one lives on for the overlap, and no longer than it would have', async () => {
  const account = await create();
  const first = await newKey(account.id);
  const options = await acme.asAdmin();
  const rotate = (keyId: string, overlapSeconds: number) =>
    harness.client.rotateApiKey({ serviceAccountId: account.id, keyId, overlapSeconds }, options);
  const second = await rotate(first.id, 3600);
  expect([await codeOf(present(first.key)), await codeOf(present(second.key))]).toEqual(['ok', 'ok']);
  const expiry = async (id: string) => (await keysOf(account.id)).find((key) => key.id === id)?.expiresAt;
  const before = await expiry(first.id);
  await rotate(first.id, 7200);
  expect(await expiry(first.id)).toEqual(before);
  harness.clock.skipMs += 3_601_000;
  expect([await codeOf(present(first.key)), await codeOf(present(second.key))]).toEqual(['INVALID_API_KEY', 'ok']);
  await rotate(second.id, 0);
  expect(await codeOf(present(second.key))).toBe('INVALID_API_KEY');
  expect(await fieldsOf(rotate(second.id, 31 * 24 * 3600))).toEqual(['/overlap']);
});

test('when no expiry is named, then a key ends in 90 days; none lives longer than 366', async () => {
  const account = await create();
  const { expiresAt, createdAt } = await newKey(account.id);
  if (!expiresAt || !createdAt) throw new Error('a time is missing');
  expect(timestampDate(expiresAt).getTime() - timestampDate(createdAt).getTime()).toBe(90 * 24 * 3_600_000);
  const ending = async (days: number) => {
    const expiry = timestampFromDate(new Date(Date.now() + harness.clock.skipMs + days * 24 * 3_600_000));
    return fieldsOf(harness.client.createApiKey({ serviceAccountId: account.id, expiresAt: expiry }, await acme.asAdmin()));
  };
  expect(await ending(365)).toEqual([]);
  for (const days of [-1, 0, 367, 100_000]) expect(await ending(days)).toEqual(['/expiresAt']);
});

test('when a key is used, then it is noted once a minute', async () => {
  const account = await create();
  const { key } = await newKey(account.id);
  const lastUsed = async () => (await keysOf(account.id))[0]?.lastUsedAt;
  expect(await lastUsed()).toBeUndefined();
  await present(key);
  const first = await lastUsed();
  expect(first).toBeDefined();
  harness.clock.skipMs += 20_000;
  await present(key);
  expect(await lastUsed()).toEqual(first);
  harness.clock.skipMs += 40_000;
  await present(key);
  expect(await lastUsed()).not.toEqual(first);
});

test('when the tenant is suspended, then its keys are refused until it is active again', async () => {
  const tenant = await newTenant(harness);
  const account = await create(filing, tenant);
  const { key } = await harness.client.createApiKey({ serviceAccountId: account.id }, await tenant.asAdmin());
  await harness.client.suspendTenant({ id: tenant.id }, await asPlatform());
  expect(await codeOf(present(key))).toBe('TENANT_SUSPENDED');
  await harness.client.activateTenant({ id: tenant.id }, await asPlatform());
  expect(await codeOf(present(key))).toBe('ok');
});

test('when a scope decides, or is over who may do what, then no machine gets it', async () => {
  const scopes = [
    'approval:decide',
    'approval:list_pending',
    'role:create',
    'membership:update',
    'user:create',
    'team:add_member',
    'tenant:suspend',
  ];
  const wanted = [...scopes, 'service_account:create_key', 'me:read', 'user:list'];
  expect(await fieldsOf(create(wanted))).toEqual(wanted.slice(0, -1).map((_, index) => `/scopes/${index}`));
});

test('when somebody lacks a scope, then they give it neither to an account nor to themselves by a key of one', async () => {
  const keeper = ['service_account:create', 'service_account:update', 'service_account:create_key', 'catalog:read'];
  const person = await acme.add(unique('keeper'), []);
  const admin = await acme.asAdmin();
  const role = await harness.client.createRole({ name: unique('keepers'), permissions: keeper }, admin);
  await harness.client.updateMembership({ userId: person.id, roles: { ids: [role.id] } }, admin);
  const options = await acme.as(person, [], { permissions: keeper });
  const named = { name: unique('own'), description: '' };
  const codeWith = (scopes: string[]) => codeOf(harness.client.createServiceAccount({ ...named, scopes }, options));
  expect(await codeWith(['catalog:read', 'audit_event:list'])).toBe('CANNOT_GIVE');
  const powerful = await create(['audit_event:list']);
  const { id: keyId } = await newKey(powerful.id);
  expect(await codeOf(harness.client.createApiKey({ serviceAccountId: powerful.id }, options))).toBe('CANNOT_GIVE');
  expect(await codeOf(harness.client.rotateApiKey({ serviceAccountId: powerful.id, keyId }, options))).toBe('CANNOT_GIVE');
  const widened = harness.client.updateServiceAccount(
    { id: powerful.id, scopes: { items: ['audit_event:list', 'catalog:read'] } },
    options,
  );
  expect(await codeOf(widened)).toBe('CANNOT_GIVE');
  const missing = await harness.client.createApiKey({ serviceAccountId: powerful.id }, options).catch((error: unknown) => error);
  expect(missing instanceof AppError && missing.members).toEqual({ missing: ['audit_event:list'] });
  expect(await codeWith(['catalog:read'])).toBe('ok');
});

test('when an account or key is of another tenant or account, then it is not there', async () => {
  const [account, other, globex] = [await create(), await create(), await newTenant(harness)];
  const { id: keyId } = await newKey(account.id);
  const admin = await acme.asAdmin();
  const stranger = await globex.asAdmin();
  const mine = { serviceAccountId: account.id, keyId };
  for (const call of [
    () => harness.client.getServiceAccount({ id: account.id }, stranger),
    () => harness.client.updateServiceAccount({ id: account.id, name: 'mine' }, stranger),
    () => harness.client.deleteServiceAccount({ id: account.id }, stranger),
    () => harness.client.listApiKeys({ serviceAccountId: account.id }, stranger),
    () => harness.client.createApiKey({ serviceAccountId: account.id }, stranger),
    () => harness.client.rotateApiKey(mine, stranger),
    () => harness.client.revokeApiKey(mine, stranger),
  ])
    expect(await codeOf(call())).toBe('SERVICE_ACCOUNT_NOT_FOUND');
  const wrongAccount = { serviceAccountId: other.id, keyId };
  expect(await codeOf(harness.client.revokeApiKey(wrongAccount, admin))).toBe('API_KEY_NOT_FOUND');
  expect(await codeOf(harness.client.rotateApiKey(wrongAccount, admin))).toBe('API_KEY_NOT_FOUND');
});

test('when two accounts get one name at once, then one does', async () => {
  const name = unique('ci');
  const make = async () => codeOf(harness.client.createServiceAccount({ name, description: '', scopes: [] }, await acme.asAdmin()));
  expect((await Promise.all([make(), make()])).sort()).toEqual(['SERVICE_ACCOUNT_NAME_TAKEN', 'ok']);
});

const custodiansOf = async (key: string) => new Set((await present(key)).principal?.custodianIds);

test('when an account is made, then its maker owns it, or the active user who is named', async () => {
  expect(await create()).toMatchObject({ ownerId: acme.admin.id, createdBy: acme.admin.id });
  const [owner, gone, stranger] = [
    await acme.add(unique('owner'), []),
    await acme.add(unique('gone'), []),
    (await newTenant(harness)).admin,
  ];
  await harness.client.updateUser({ id: gone.id, active: false }, await acme.asAdmin());
  const make = async (ownerId: string) =>
    harness.client.createServiceAccount({ name: unique('ci'), description: '', scopes: [], ownerId }, await acme.asAdmin());
  expect(await make(owner.id.toUpperCase())).toMatchObject({ ownerId: owner.id, createdBy: acme.admin.id });
  for (const id of [gone.id, stranger.id, 'nobody', '']) expect(await fieldsOf(make(id))).toEqual(['/ownerId']);
  const { items } = await harness.client.listServiceAccounts(
    { query: { filters: [{ field: 'ownerId', operator: Operator.EQ, values: [owner.id] }] } },
    await acme.asAdmin(),
  );
  expect(items.map(({ ownerId }) => ownerId)).toEqual([owner.id]);
});

test('when an account is handed over, then its custodians are who made it, who owns it and who may know a key that there is', async () => {
  const [maker, first, next] = [acme.admin, await acme.add(unique('first'), ['admin']), await acme.add(unique('next'), ['admin'])];
  const account = await create();
  const options = await acme.asAdmin();
  const hand = (ownerId: string) => harness.client.updateServiceAccount({ id: account.id, ownerId }, options);
  expect(await hand(first.id)).toMatchObject({ ownerId: first.id, createdBy: maker.id, version: 2 });
  const own = await harness.client.createApiKey({ serviceAccountId: account.id }, await acme.as(next, ['admin']));
  expect(await custodiansOf(own.key)).toEqual(new Set([maker.id, first.id, next.id]));
  await hand(maker.id);
  // Both have known the key; with it they stop being custodians.
  const { key } = await newKey(account.id);
  expect(await custodiansOf(key)).toEqual(new Set([maker.id, first.id, next.id]));
  await harness.client.revokeApiKey({ serviceAccountId: account.id, keyId: own.id }, options);
  expect(await custodiansOf(key)).toEqual(new Set([maker.id]));
  await hand(next.id);
  await hand(maker.id);
  expect(await custodiansOf(key)).toEqual(new Set([maker.id, next.id]));

  const told = (await harness.eventsOf(acme.id)).filter(({ aggregateId }) => aggregateId === account.id);
  const snapshots = told.map(({ type, payload }) =>
    type === 'ApiKeyChanged' ? fromBinary(ApiKeyChangedSchema, payload).account : fromBinary(ServiceAccountChangedSchema, payload).account,
  );
  expect(snapshots.map((snapshot) => snapshot?.version)).toEqual(told.map((_, index) => index + 1));
  expect(new Set(snapshots.at(-1)?.custodianIds)).toEqual(new Set([maker.id, next.id]));
  expect(told.at(-1)).toMatchObject({ action: 'SERVICE_ACCOUNT_UPDATED', changes: { ownerId: { before: next.id, after: maker.id } } });
});
