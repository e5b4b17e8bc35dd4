import { noTenant } from '@accessops/db';
import { until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { anonymously, codeOf, type Harness, newTenant, startHarness, type TestTenant } from './harness.ts';

let harness: Harness;
let acme: TestTenant;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
});
afterEach(() => {
  harness.clock.skipMs = 0;
});
afterAll(() => harness.close());

const fail = async (email: string, typed = 'not the right password') =>
  expect(await codeOf(harness.client.login({ email, password: typed }, await anonymously({ requestId: 'guess' })))).toBe(
    'INVALID_CREDENTIALS',
  );
const toldOf = async (tenantId: string, entityId: string) =>
  (await harness.eventsOf(tenantId)).filter((event) => event.action === 'LOGIN_FAILED' && event.entityId === entityId);
const attempts = async (entityId: string) => (await toldOf(acme.id, entityId)).map(({ changes }) => changes.attempts?.after);

test('when a sign-in fails, then it stands in the log of the tenant, without what was typed', async () => {
  const person = await acme.add('guessed', ['requester']);
  await fail(person.email, 'hunter2 hunter2 hunter2');
  const [event] = await until(async () => (await toldOf(acme.id, person.id)).length > 0 && toldOf(acme.id, person.id));
  expect(event).toMatchObject({
    type: 'LoginFailed',
    entityType: 'USER',
    actor: { type: 'anonymous' },
    requestId: 'guess',
    changes: { attempts: { after: 1 } },
  });
  expect(event?.payload.includes('hunter2')).toBe(false);
});

test('when an account is attacked, then one event a minute tells how many attempts there were', async () => {
  const person = await acme.add('attacked', ['requester']);
  await fail(person.email);
  await until(async () => (await attempts(person.id)).length === 1);
  for (let round = 0; round < 8; round++) await fail(person.email);
  expect(await attempts(person.id)).toEqual([1]);
  harness.clock.skipMs = 61_000;
  await until(async () => (await attempts(person.id)).length === 2);
  expect(await attempts(person.id)).toEqual([1, 8]);
});

test('when addresses without an account are tried, then they are told of together, in the log of the platform', async () => {
  for (let round = 0; round < 5; round++) await fail(`nobody${round}@nowhere.test`, 'a password of nobody');
  const events = await until(async () => (await toldOf(noTenant, noTenant)).length > 0 && toldOf(noTenant, noTenant));
  expect(events).toHaveLength(1);
  expect(JSON.stringify(events.map(({ changes }) => changes))).not.toContain('nobody');
});
