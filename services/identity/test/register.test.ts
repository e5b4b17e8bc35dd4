import { noTenant } from '@accessops/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anonymously, codeOf, fieldsOf, type Harness, logIn, newTenant, password, startHarness, unique } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const person = (changes: object = {}) => ({ email: `${unique('p')}@people.test`, password, firstName: 'Ada', lastName: 'Doe', ...changes });
const organization = () => ({ name: 'Acme Corp', slug: unique('acme') });
const register = async (changes: object = {}, call?: Parameters<typeof anonymously>[0]) =>
  harness.client.register(person(changes), await anonymously(call));

test('when someone registers with an organisation, then they are its admin and both are told', async () => {
  const wanted = organization();
  const { user, tenant } = await register({ organization: wanted, email: `Ada.${unique('x')}@People.TEST` }, { requestId: 'req-1' });
  expect(user).toMatchObject({ firstName: 'Ada', lastName: 'Doe', active: true, orgRoles: ['admin'], version: 1 });
  expect(user?.email).toBe(user?.email.toLowerCase());
  expect(tenant).toMatchObject({ ...wanted, status: 'ACTIVE', domain: '', version: 1 });

  const events = await harness.eventsOf(tenant?.id ?? '');
  const actor = { id: user?.id, type: 'user', email: user?.email };
  expect(events).toMatchObject([
    { type: 'TenantCreated', action: 'TENANT_CREATED', entityType: 'TENANT', entityId: tenant?.id, actor, requestId: 'req-1' },
    { type: 'UserCreated', action: 'USER_CREATED', entityType: 'USER', entityId: user?.id, aggregateId: user?.id, actor },
  ]);
  expect(events[1]?.changes).toMatchObject({ email: { after: user?.email }, orgRoles: { after: ['admin'] } });
});

test('when someone registers without an organisation, then they belong nowhere', async () => {
  const { user, tenant } = await register();
  expect(tenant).toBeUndefined();
  expect(user?.orgRoles).toEqual([]);
  const events = await harness.eventsOf(noTenant);
  expect(events.filter(({ entityId }) => entityId === user?.id)).toMatchObject([{ action: 'USER_CREATED' }]);
});

test('when an address is taken, in whatever case, then it is EMAIL_TAKEN and nothing is written', async () => {
  const { email } = (await newTenant(harness)).admin;
  const wanted = organization();
  expect(await codeOf(register({ email: email.toUpperCase(), organization: wanted }))).toBe('EMAIL_TAKEN');
  expect((await harness.admin.query('select 1 from tenant where slug = $1', [wanted.slug])).rowCount).toBe(0);
});

test('when a slug is taken, then it is SLUG_TAKEN and no account is made', async () => {
  const { slug } = await newTenant(harness);
  const who = person({ organization: { name: 'Another', slug } });
  expect(await codeOf(register(who))).toBe('SLUG_TAKEN');
  expect((await harness.admin.query('select 1 from account where email = $1', [who.email])).rowCount).toBe(0);
});

test('when a domain is taken, then it is DOMAIN_TAKEN, no account is made and no mail is sent', async () => {
  const domain = `${unique('acme')}.test`;
  const { tenant } = await register({ organization: { ...organization(), domain } });
  expect(tenant?.domain).toBe(domain);
  const who = person({ organization: { ...organization(), domain: domain.toUpperCase() } });
  expect(await codeOf(register(who))).toBe('DOMAIN_TAKEN');
  for (const sql of ['select 1 from account where email = $1', 'select 1 from mail where address = $1']) {
    expect((await harness.admin.query(sql, [who.email])).rowCount).toBe(0);
  }
  const other = await newTenant(harness);
  expect(await codeOf(harness.client.updateTenant({ domain }, await other.asAdmin()))).toBe('DOMAIN_TAKEN');
});

test('when two register the same slug at once, then exactly one gets it', async () => {
  for (let round = 0; round < 5; round++) {
    const wanted = organization();
    const codes = await Promise.all([codeOf(register({ organization: wanted })), codeOf(register({ organization: wanted }))]);
    expect(codes.sort()).toEqual(['SLUG_TAKEN', 'ok']);
  }
});

test('when an address is registered eight times at once, then exactly one succeeds', async () => {
  const who = person();
  const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(register(who))));
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
  expect(new Set(codes)).toEqual(new Set(['ok', 'EMAIL_TAKEN']));
});

test.each([
  ['/email', { email: 'no-address' }],
  ['/email', { email: 'a\u0000b@people.test' }],
  ['/email', { email: `${'a'.repeat(250)}@people.test` }],
  ['/email', { email: '"quoted"@people.test' }],
  ['/email', { email: 'spaced out@people.test' }],
  ['/email', { email: '\u212Aelvin@people.test' }],
  ['/firstName', { firstName: '  ' }],
  ['/lastName', { lastName: 'Line\nbreak' }],
  ['/lastName', { lastName: 'x'.repeat(101) }],
  ['/password', { password: 'too short' }],
  ['/password', { password: 'x1'.repeat(65) }],
  ['/password', { password: 'Password-2026' }],
  ['/organization/name', { organization: { name: '', slug: 'fine-slug' } }],
  ['/organization/slug', { organization: { name: 'Acme', slug: 'ab' } }],
  ['/organization/slug', { organization: { name: 'Acme', slug: 'Upper' } }],
  ['/organization/slug', { organization: { name: 'Acme', slug: 'x'.repeat(41) } }],
  ['/organization/slug', { organization: { name: 'Acme', slug: "a'; drop table tenant; --" } }],
  ['/organization/slug', { organization: { name: 'Acme', slug: 'admin' } }],
  ['/organization/slug', { organization: { name: 'Acme', slug: '\u0430cme' } }],
  ['/organization/domain', { organization: { name: 'Acme', slug: 'fine-slug', domain: 'no domain' } }],
  ['/organization/domain', { organization: { name: 'Acme', slug: 'fine-slug', domain: '\u0430cme.test' } }],
  ['/organization/name', { organization: { name: 'Ac\u202eme', slug: 'fine-slug' } }],
  ['/organization/name', { organization: { name: 'P\u0430ypal', slug: 'fine-slug' } }],
  ['/lastName', { lastName: 'Sm\u0456th' }],
  ['/organization/name', { organization: { name: 'x'.repeat(10_000), slug: 'fine-slug' } }],
  ['/firstName', { firstName: 'x'.repeat(10_000) }],
  ['/email', { email: 'ada@people.test\r\nBcc: everybody@people.test' }],
  ['/email', { email: '\u0430da@people.test' }],
])('when %s is wrong in %j, then the field is named and nothing is written', async (pointer, changes) => {
  const before = await harness.admin.query('select count(*) from account');
  expect(await fieldsOf(register(changes))).toEqual([pointer]);
  expect((await harness.admin.query('select count(*) from account')).rows).toEqual(before.rows);
});

test('when a password is weak, then the code says so', async () => {
  expect(await codeOf(register({ password: 'qwertyuiop12' }))).toBe('PASSWORD_TOO_WEAK');
});

test('when a call is repeated under its Idempotency-Key, then it acts once and answers the same', async () => {
  const who = person({ organization: organization() });
  const call = { idempotencyKey: `POST /auth/register ${unique('key')}` };
  const first = await register(who, call);
  expect(await register(who, call)).toEqual(first);
  expect(await codeOf(register(who, { ...call, fingerprint: 'other' }))).toBe('IDEMPOTENCY_KEY_REUSED');
  expect(await harness.eventsOf(first.tenant?.id ?? '')).toHaveLength(2);
});

test('when someone has registered, then nothing that is stored or told holds the password', async () => {
  const { tenant, user } = await register({ organization: organization() });
  const { rows } = await harness.admin.query('select password_hash from account where id = $1', [user?.id]);
  expect(rows[0].password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  for (const { payload } of await harness.eventsOf(tenant?.id ?? '')) {
    expect(payload.includes(password)).toBe(false);
    expect(payload.includes('argon2')).toBe(false);
  }
});

test('when the same password is typed with other code points, then it is the same', async () => {
  const email = `${unique('p')}@people.test`;
  await register({ email, password: 'caf\u00e9 \ufb01sch laternenlicht' });
  expect((await logIn(harness, email, { password: 'cafe\u0301 fisch laternenlicht' })).subject).toBeTruthy();
});
