import { AppError } from '@accessops/errors';
import { connect } from '@accessops/grpc';
import { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configFrom } from '../src/config.ts';
import {
  anonymously,
  asPlatform,
  type CallAs,
  codeOf,
  fieldsOf,
  type Harness,
  isAbout,
  logIn,
  newTenant,
  startHarness,
  type TestTenant,
  unique,
} from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness({ SESSION_LIFETIME_HOURS: '100' });
  acme = await newTenant(harness);
});
afterAll(() => harness.close());

const key = 'session.lifetime-hours';
const get = async (tenant: TestTenant, name = key) => harness.client.getSetting({ key: name }, await tenant.asAdmin());
const put = async (tenant: TestTenant, value: unknown, name = key, call?: CallAs) =>
  harness.client.putSetting({ key: name, valueJson: JSON.stringify(value) }, await tenant.asAdmin(call));
const putGlobal = async (value: unknown, name: string) =>
  harness.client.putSetting({ key: name, global: true, valueJson: JSON.stringify(value) }, await asPlatform());
const dropGlobal = async (name: string) => harness.client.deleteSetting({ key: name, global: true }, await asPlatform());

/** Everything that is told about a setting in a tenant. */
const told = async (tenantId: string, name: string) =>
  (await harness.eventsOf(tenantId)).filter(({ entityType, entityId }) => entityType === 'SETTING' && entityId === name);

test('when levels are set one after the other and taken back, then the nearest one counts and says so', async () => {
  const tenant = await newTenant(harness);
  expect(await get(tenant)).toMatchObject({ valueJson: '100', source: 'environment', isSet: true, version: 1 });
  await putGlobal(90, key);
  expect(await get(tenant)).toMatchObject({ valueJson: '90', source: 'global' });
  expect(await put(tenant, 8)).toMatchObject({ key, valueJson: '8', source: 'tenant', version: 2 });
  expect(await get(acme)).toMatchObject({ valueJson: '90', source: 'global' });
  expect(await harness.client.getSetting({ key, global: true }, await asPlatform())).toMatchObject({ valueJson: '90', source: 'global' });
  await harness.client.deleteSetting({ key }, await tenant.asAdmin());
  await dropGlobal(key);
  expect(await get(tenant)).toMatchObject({ valueJson: '100', source: 'environment', version: 3 });
  expect(await get(tenant, 'password.min-length')).toMatchObject({ valueJson: '12', source: 'default', isSet: false });
});

test('when a value is set, changed and taken back, then each is told once with before and after', async () => {
  const tenant = await newTenant(harness);
  await put(tenant, 8);
  await put(tenant, 8);
  await put(tenant, 9);
  const options = await tenant.asAdmin();
  await harness.client.deleteSetting({ key }, options);
  await harness.client.deleteSetting({ key }, options);
  expect(await told(tenant.id, key)).toMatchObject([
    { type: 'SettingChanged', action: 'SETTING_CHANGED', actor: { id: tenant.admin.id }, changes: { value: { before: null, after: 8 } } },
    { action: 'SETTING_CHANGED', changes: { value: { before: 8, after: 9 }, level: { after: 'tenant' } } },
    { action: 'SETTING_RESET', changes: { value: { before: 9, after: null } } },
  ]);
});

test('when a value does not fit, then /value is named, and nothing is set', async () => {
  const tenant = await newTenant(harness);
  for (const value of [0, 721, 1.5, '8', null, [8], {}]) expect(await fieldsOf(put(tenant, value))).toEqual(['/value']);
  expect(await fieldsOf(put(tenant, ['acme.test', 'NO DOMAIN'], 'users.email-domains'))).toEqual(['/value/1']);
  expect(await get(tenant)).toMatchObject({ version: 1 });
});

test('when there is no such setting, or it is the platform’s, then a tenant does not find it', async () => {
  for (const name of ['no.such', '', 'toString', '__proto__', 'license.default-tier', 'stripe.webhook-secret']) {
    expect(await codeOf(get(acme, name))).toBe('SETTING_NOT_FOUND');
    expect(await codeOf(put(acme, 'free', name))).toBe('SETTING_NOT_FOUND');
    expect(await codeOf(harness.client.deleteSetting({ key: name }, await acme.asAdmin()))).toBe('SETTING_NOT_FOUND');
  }
  const { items } = await harness.client.listSettings({}, await acme.asAdmin());
  expect(items.map((item) => item.key)).toEqual(['password.min-length', 'security.require-mfa', key, 'users.email-domains']);
  expect((await harness.client.listSettings({ global: true }, await asPlatform())).items.map((item) => item.key)).toContain(
    'stripe.webhook-secret',
  );
});

test('when a secret is set, then no answer, no event and no column shows it', async () => {
  const secret = unique('whsec');
  const reply = await putGlobal(secret, 'stripe.webhook-secret');
  expect(reply).toMatchObject({ valueJson: '', secret: true, isSet: true, source: 'global' });
  const { items } = await harness.client.listSettings({ global: true }, await asPlatform('platform-support'));
  expect(JSON.stringify(items.map(({ valueJson }) => valueJson))).not.toContain(secret);
  const { rows } = await harness.admin.query(`select * from setting where key = 'stripe.webhook-secret'`);
  expect(rows).toMatchObject([{ value: null }]);
  expect(rows[0].sealed.toString('latin1')).not.toContain(secret);
  const events = await harness.admin.query(`select payload from outbox_event where type = 'SettingChanged'`);
  for (const { payload } of events.rows) expect(payload.toString('latin1')).not.toContain(secret);
  await dropGlobal('stripe.webhook-secret');
});

test('when two set a value that both have read, then the second is PRECONDITION_FAILED', async () => {
  const tenant = await newTenant(harness);
  const ifMatch = async (version: number) => {
    const options = await tenant.asAdmin();
    options.metadata.set('if-match', String(version));
    return options;
  };
  const set = (value: number, options: Awaited<ReturnType<typeof ifMatch>>) =>
    harness.client.putSetting({ key, valueJson: String(value) }, options);
  const unset = await ifMatch(1);
  const codes = await Promise.all([codeOf(set(5, unset)), codeOf(set(6, unset))]);
  expect(codes.sort()).toEqual(['PRECONDITION_FAILED', 'ok']);
  await harness.client.deleteSetting({ key }, await ifMatch(2));
  // What was taken back and set again is not what it was.
  await set(5, await ifMatch(3));
  expect(await codeOf(set(7, await ifMatch(2)))).toBe('PRECONDITION_FAILED');
});

test('when many set a value at once, then each change is told with what was there before it', async () => {
  const tenant = await newTenant(harness);
  const options = await tenant.asAdmin();
  await Promise.all(Array.from({ length: 8 }, (_, index) => harness.client.putSetting({ key, valueJson: String(index + 1) }, options)));
  const changes = (await told(tenant.id, key)).map(({ changes: { value } }) => value);
  expect(changes).toHaveLength(8);
  for (const [index, change] of changes.entries()) expect(change?.before).toBe(index === 0 ? null : changes[index - 1]?.after);
  expect(await get(tenant)).toMatchObject({ version: 9, valueJson: String(changes.at(-1)?.after) });
});

test('when somebody is no admin, then they may look at most; the platform’s values are its staff’s', async () => {
  for (const role of ['manager', 'auditor', 'approver', 'requester']) {
    const options = await acme.as(await acme.add(unique(role), [role]), [role]);
    const looks = role === 'manager' || role === 'auditor' ? 'ok' : 'PERMISSION_DENIED';
    expect(await codeOf(harness.client.getSetting({ key }, options))).toBe(looks);
    expect(await codeOf(harness.client.listSettings({}, options))).toBe(looks);
    expect(await codeOf(harness.client.putSetting({ key, valueJson: '1' }, options))).toBe('PERMISSION_DENIED');
    expect(await codeOf(harness.client.deleteSetting({ key }, options))).toBe('PERMISSION_DENIED');
  }
  const global = { key, global: true, valueJson: '1' };
  const support = await asPlatform('platform-support');
  expect(await codeOf(harness.client.getSetting(global, support))).toBe('ok');
  expect(await codeOf(harness.client.putSetting(global, support))).toBe('PERMISSION_DENIED');
  expect(await codeOf(harness.client.putSetting(global, await acme.asAdmin()))).toBe('PERMISSION_DENIED');
  expect(await codeOf(harness.client.getSetting(global, await acme.asAdmin()))).toBe('PERMISSION_DENIED');
});

test('when a password has to be longer, then new users of that tenant are held to it, and nobody else', async () => {
  const tenant = await newTenant(harness);
  await put(tenant, 20, 'password.min-length');
  const person = (of: TestTenant, password: string) => ({
    email: `${unique('p')}@${of.slug}.test`,
    firstName: 'Una',
    lastName: 'User',
    password,
    orgRoles: [],
  });
  const create = async (of: TestTenant, password: string) => harness.client.createUser(person(of, password), await of.asAdmin());
  const refused = await create(tenant, 'nineteen lamps here').catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(AppError);
  expect(refused).toMatchObject({ code: 'PASSWORD_TOO_WEAK', message: 'must have at least 20 characters' });
  expect(await codeOf(create(tenant, 'nineteen lamps here or more'))).toBe('ok');
  expect(await codeOf(create(acme, 'nineteen lamps here'))).toBe('ok');
});

test('when e-mail domains are named, then only users of these can be added', async () => {
  const tenant = await newTenant(harness);
  await put(tenant, ['acme.test', 'acme.example'], 'users.email-domains');
  const create = async (email: string) =>
    harness.client.createUser(
      { email, firstName: 'Una', lastName: 'User', password: 'quarry lamp seven bridges', orgRoles: [] },
      await tenant.asAdmin(),
    );
  const name = unique('una');
  for (const domain of ['evil.test', 'sub.acme.test', 'xacme.test', 'acme.test.evil'])
    expect(await fieldsOf(create(`${name}@${domain}`))).toEqual(['/email']);
  expect(await codeOf(create(`${name}@ACME.example`))).toBe('ok');
});

test('when sessions are to be shorter, then those that begin from now on are', async () => {
  const tenant = await newTenant(harness);
  expect((await logIn(harness, tenant.admin.email)).refreshExpiresIn).toSatisfy(isAbout(100 * 3600));
  await put(tenant, 2);
  expect((await logIn(harness, tenant.admin.email)).refreshExpiresIn).toSatisfy(isAbout(2 * 3600));
  expect((await logIn(harness, acme.admin.email)).refreshExpiresIn).toSatisfy(isAbout(100 * 3600));
});

test('when the tier of new organisations is set, then they begin with it', async () => {
  const another = await harness.startAnother({ LICENSE_DEFAULT_TIER: 'team' });
  const client = connect(IdentityService, another.address);
  const slug = unique('org');
  const { tenant } = await client.register(
    {
      email: `a@${slug}.test`,
      password: 'quarry lamp seven bridges',
      firstName: 'A',
      lastName: 'B',
      organization: { name: 'Org', slug },
    },
    await anonymously(),
  );
  client.close();
  expect(await harness.client.getAnyLicense({ tenantId: tenant?.id }, await asPlatform())).toMatchObject({ tier: 'team', flags: [] });
  expect(await harness.client.getLicense({}, await acme.asAdmin())).toMatchObject({ tier: 'free', flags: [] });
});

test('when the environment gives a value that does not fit, then the process says which and does not start', () => {
  expect(() => configFrom({ ...harness.environment, SESSION_LIFETIME_HOURS: 'forever' })).toThrow(/SESSION_LIFETIME_HOURS/);
});
