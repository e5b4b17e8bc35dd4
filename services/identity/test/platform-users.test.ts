import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { noTenant } from '@accessops/db';
import { connect } from '@accessops/grpc';
import { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { infrastructure } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configFrom } from '../src/config.ts';
import { anonymously, codeOf, type Harness, logIn, password, startHarness, unique } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());

const file = (content: unknown) => {
  const path = join(infrastructure().directory, unique('platform-users'));
  writeFileSync(path, JSON.stringify(content));
  return path;
};
const root = (changes: object = {}) => ({
  email: `${unique('root')}@accessops.test`,
  firstName: 'Root',
  lastName: 'Staff',
  password,
  realmRoles: ['platform-admin'],
  ...changes,
});

test('when several instances start with declared staff, then each account is made and told once and can log in at once', async () => {
  const staff = [root(), root({ realmRoles: ['platform-support'] })];
  const PLATFORM_USERS_FILE = file(staff);
  const instances = await Promise.all(Array.from({ length: 3 }, () => harness.startAnother({ PLATFORM_USERS_FILE })));
  for (const { address } of instances) {
    const client = connect(IdentityService, address);
    expect(await codeOf(client.login({ email: staff[0]?.email, password, audience: 'admin' }, await anonymously()))).toBe('ok');
    client.close();
  }
  const told = await harness.eventsOf(noTenant);
  for (const { email, realmRoles } of staff) {
    const created = told.filter(({ action, changes }) => action === 'USER_CREATED' && changes.email?.after === email);
    expect(created).toMatchObject([{ actor: { type: 'system', id: 'identity' }, changes: { realmRoles: { after: realmRoles } } }]);
    expect((await logIn(harness, email, { audience: 'admin' })).claims.realm_access).toEqual({ roles: realmRoles });
  }
});

test('when an account is there already, then it stays as it is', async () => {
  const someone = root();
  await harness.client.register({ ...someone, realmRoles: undefined } as never, await anonymously());
  await harness.startAnother({ PLATFORM_USERS_FILE: file([{ ...someone, password: 'another password altogether' }]) });
  expect((await logIn(harness, someone.email)).subject).toBeTruthy();
  expect(await codeOf(harness.client.login({ email: someone.email, password, audience: 'admin' }, await anonymously()))).toBe(
    'AUDIENCE_NOT_ALLOWED',
  );
});

test.each([
  ['no role', [root({ realmRoles: [] })]],
  ['an org role', [root({ realmRoles: ['admin'] })]],
  ['no password', [root({ password: undefined })]],
  ['a weak password', [root({ password: 'password1234' })]],
  ['no address', [root({ email: 'root' })]],
  ['no list', {}],
])('when the file declares %s, then the configuration names it', (_, content) => {
  expect(() => configFrom({ ...harness.environment, PLATFORM_USERS_FILE: file(content) })).toThrow(/PLATFORM_USERS_FILE/);
});

test('when variables are missing, then each is named', () => {
  const { ISSUER: _issuer, IDENTITY_KEY_FILE: _key, ...rest } = harness.environment;
  expect(() => configFrom(rest)).toThrow(/ISSUER[\s\S]*IDENTITY_KEY_FILE/);
});
