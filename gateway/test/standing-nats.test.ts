import { randomUUID } from 'node:crypto';
import { SessionEndedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { createLogger } from '@accessops/telemetry';
import { patienceMs, until } from '@accessops/testing';
import { create, toBinary } from '@bufbuild/protobuf';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOwnNats, type OwnNats } from '../../packages/events/test/own-nats.ts';
import { startInvalidation } from '../src/invalidation.ts';
import type { Principals } from '../src/principals.ts';
import { startTestGateway, startWorld, type World } from './world.ts';

let nats: OwnNats;
let world: World;
const login = { user: 'test', password: 'test' };
beforeAll(async () => {
  [nats, world] = await Promise.all([createOwnNats(), startWorld()]);
  await nats.start();
});
afterAll(async () => {
  await nats.close();
  await world.close();
});

/** Listens, and writes down what it forgets. */
const listen = (namespace: string) => {
  const forgotten: string[] = [];
  const note = (what: string) => (id?: string) => void forgotten.push(id ? `${what} ${id}` : what);
  const principals = { dropAll: note('all'), dropSession: note('session'), dropUser: note('user'), dropTenant: note('tenant') };
  const invalidation = startInvalidation({
    nats: { url: nats.url, ...login },
    tls: undefined,
    namespace,
    principals: principals as unknown as Principals,
    authorizer: { forget: () => undefined, bePatient: () => undefined },
    log: createLogger('test', 'silent'),
  });
  return { forgotten, invalidation };
};

test('when NATS stands still, then the gateway knows it though the connection stands, and hears what was told as soon as it goes on', async () => {
  const namespace = `test-${randomUUID()}`;
  const { forgotten, invalidation } = listen(namespace);
  await until(() => invalidation.isUp(), { timeoutMs: patienceMs, what: 'a gateway that hears' });
  const teller = await connect({ servers: nats.url, user: login.user, pass: login.password });
  nats.freeze();
  const sessionId = randomUUID();
  teller.publish(`${namespace}.identity.SessionEnded`, toBinary(SessionEndedSchema, create(SessionEndedSchema, { sessionId })));
  await until(() => !invalidation.isUp(), { timeoutMs: patienceMs, what: 'a gateway that knows that it hears nothing' });
  // Whoever has lost a connection forgets everything.
  expect(forgotten).toEqual(['all']);
  nats.thaw();
  await until(() => invalidation.isUp(), { timeoutMs: patienceMs, what: 'a gateway that hears again' });
  await until(() => forgotten.includes(`session ${sessionId}`), { timeoutMs: patienceMs, what: 'what was told meanwhile' });
  await teller.close();
  await invalidation.close();
  expect(invalidation.isUp()).toBe(false);
});

test('when NATS is stopped and started, then the gateway forgets what it may not have heard of, and hears again', async () => {
  const { forgotten, invalidation } = listen(`test-${randomUUID()}`);
  await until(() => invalidation.isUp(), { timeoutMs: patienceMs, what: 'a gateway that hears' });
  await nats.stop();
  await until(() => !invalidation.isUp(), { timeoutMs: patienceMs });
  await nats.start();
  await until(() => invalidation.isUp(), { timeoutMs: patienceMs, what: 'a gateway that hears again' });
  expect(forgotten).toEqual(['all', 'all', 'all']);
  await invalidation.close();
});

test('when NATS stands still and somebody is deactivated, then they are refused, and health says that NATS is away', async () => {
  const { admin, slug } = await world.organization();
  const person = await world.person(admin, slug, ['requester']);
  const gateway = await startTestGateway(world.addresses, { NATS_URL: nats.url, NATS_USER: login.user, NATS_PASSWORD: login.password });
  const statusOf = async (path: string, token: string) =>
    (await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
  const health = async () => (await (await fetch(`${gateway.url}/health`)).json()) as { services: Record<string, string> };
  await until(async () => (await health()).services.nats === 'ok', { timeoutMs: patienceMs, what: 'a gateway that hears' });
  expect(await statusOf('/api/v1/me', person.token)).toBe(200);
  nats.freeze();
  await world.call('DELETE', `/org/users/${person.id}`, { token: admin.token });
  await until(async () => (await statusOf('/api/v1/me', person.token)) === 401, { timeoutMs: patienceMs, what: 'a refusal' });
  await until(async () => (await health()).services.nats === 'down', { timeoutMs: patienceMs, what: 'health that says so' });
  nats.thaw();
  await gateway.close();
});
