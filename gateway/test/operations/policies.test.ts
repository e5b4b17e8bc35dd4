import { setTimeout as delay } from 'node:timers/promises';
import { namespace as newNamespace, type OwnPolicies, startOwnPolicies, until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Person, startWorld, toldMs, type World } from '../world.ts';

let policies: OwnPolicies;
let world: World;
let admin: Person;
let root: Person;
beforeAll(async () => {
  const namespace = newNamespace();
  policies = await startOwnPolicies(namespace);
  world = await startWorld({ namespace, cerbosAddress: policies.address });
  ({ admin } = await world.organization());
  root = await world.staff('platform-admin');
});
afterAll(async () => {
  await world.close();
  await policies.close();
});

const get = (path: string, { token } = admin) => world.call('GET', path, { token });
const versionNow = async () => (await get('/admin/policies/version', root)).body.version;

const rule = 'actions: [list, read]\n      effect: EFFECT_ALLOW\n      derivedRoles: [org_admin, ';
const without = (text: string) => text.replace(rule, rule.replace('org_admin, ', ''));
const withAgain = (text: string) => text.replace(rule.replace('org_admin, ', ''), rule);

/** What is answered to calls that go on all the while. */
const answersDuring = async (path: string, work: () => Promise<void>): Promise<Set<string>> => {
  let stopped = false;
  const answers = new Set<string>();
  const caller = async () => {
    while (!stopped) {
      const { status, text } = await get(path);
      answers.add(status === 200 ? '200' : text);
      await delay(10);
    }
  };
  const callers = Promise.all([caller(), caller()]);
  try {
    await work();
  } finally {
    stopped = true;
    await callers;
  }
  return answers;
};

test('when the version is asked for, then it is that of the bundle that Cerbos has, and platform staff only are told', async () => {
  expect(await versionNow()).toMatch(/^[0-9a-f]{64}$/);
  expect((await get('/admin/policies/version')).status).toBe(403);
  expect((await get('/admin/policies/version', await world.staff('platform-support'))).status).toBe(200);
});

test.each(['user.route.yaml', 'user.yaml'])(
  'when %s takes something back, then it is refused, and no other call fails',
  { timeout: 180_000 },
  async (file) => {
    const before = await versionNow();
    expect((await get('/org/users')).status).toBe(200);
    const answers = await answersDuring('/org/teams', async () => {
      policies.edit(file, without);
      const version = await policies.reload();
      await until(async () => (await get('/org/users')).body.error?.code === 'PERMISSION_DENIED', { what: 'a refusal', timeoutMs: toldMs });
      expect(version).not.toBe(before);
      expect(await versionNow()).toBe(version);

      policies.edit(file, withAgain);
      expect(await policies.reload()).toBe(before);
      await until(async () => (await get('/org/users')).status === 200, { what: 'an answer', timeoutMs: toldMs });
    });
    expect(answers).toEqual(new Set(['200']));
  },
);

test.each<[string, (text: string) => string]>([
  ['is no YAML', () => 'rules: ['],
  ['uses what is not there', (text) => text.replaceAll('V.org_console', 'V.nowhere')],
])('when a policy %s, then the bundle is refused and the old one stays', async (_, spoil) => {
  const before = await versionNow();
  let original = '';
  policies.edit('team.route.yaml', (text) => {
    original = text;
    return spoil(text);
  });
  await expect(policies.reload()).rejects.toThrow('The policies are refused');
  expect(await versionNow()).toBe(before);
  expect((await get('/org/teams')).status).toBe(200);
  policies.edit('team.route.yaml', () => original);
  expect(await policies.reload()).toBe(before);
});
