import { Agent, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callTo, type Person, startTestGateway, startWorld, toldMs, type World } from './world.ts';

const nowhere = '127.0.0.1:9';
/** Less than everybody here is given to answer: who is known to be away is not waited for. */
const answerMs = 20_000;

describe('when something is down', () => {
  let world: World;
  let requester: Person;
  let admin: Person;

  beforeAll(async () => {
    world = await startWorld();
    const organization = await world.organization();
    admin = organization.admin;
    requester = await world.person(admin, organization.slug, ['requester']);
  });
  afterAll(() => world.close());

  /** A gateway that knows the world but for what is overridden. */
  const gatewayWithout = async (overrides: Record<string, string>) => {
    const gateway = await startTestGateway(world.addresses, { EVENTS_NAMESPACE: world.namespace, ...overrides });
    return { gateway, call: callTo(gateway.url) };
  };

  test.each([
    ['identity', { IDENTITY_ADDRESS: nowhere }, '/me', 'down'],
    ['Cerbos', { CERBOS_ADDRESS: nowhere }, '/me', 'down'],
    ['requests', { REQUESTS_ADDRESS: nowhere }, '/requests/me', 'down'],
    ['approvals', { APPROVALS_ADDRESS: nowhere }, '/approvals/pending', 'down'],
    ['provisioner', { PROVISIONER_ADDRESS: nowhere }, '/grants/me', 'down'],
    ['audit', { AUDIT_ADDRESS: nowhere }, '/org/audit', 'degraded'],
  ])('when %s is down, then what needs it soon answers 503, and health says so', async (name, overrides, path, status) => {
    const { gateway, call } = await gatewayWithout(overrides);
    for (let attempt = 0; attempt < 3; attempt++) {
      const startedAt = performance.now();
      const answer = await call('GET', path, { token: admin.token });
      expect([answer.status, answer.body.error?.code]).toEqual([503, 'DEPENDENCY_UNAVAILABLE']);
      expect(answer.headers['retry-after']).toBe('1');
      expect(performance.now() - startedAt).toBeLessThan(answerMs);
    }
    const httpStatus = status === 'down' ? 503 : 200;
    // What is slow for a moment counts as down for that long.
    await until(async () => {
      const health = await fetch(`${gateway.url}/health`);
      expect([health.status, await health.json()]).toMatchObject([httpStatus, { status, services: { [name.toLowerCase()]: 'down' } }]);
      return true;
    });
    await until(async () => (await fetch(`${gateway.url}/readyz`)).status === httpStatus);
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    await gateway.close();
  });

  test.each([
    ['Cerbos', 'CERBOS_ADDRESS', '/me'],
    ['identity', 'IDENTITY_ADDRESS', '/me'],
    ['requests', 'REQUESTS_ADDRESS', '/requests/me'],
  ])('when %s takes calls and answers none, then what needs it answers 503 and nothing is allowed', async (_, name, path) => {
    const hole = createServer();
    await new Promise<void>((resolve) => hole.listen(0, '127.0.0.1', resolve));
    const sockets = new Set<Socket>();
    hole.on('connection', (socket) => sockets.add(socket));
    const { gateway, call } = await gatewayWithout({
      [name]: `127.0.0.1:${(hole.address() as AddressInfo).port}`,
      DECISION_TIMEOUT_MS: '800',
      CALL_TIMEOUT_MS: '800',
    });
    const startedAt = performance.now();
    const answers = await Promise.all(Array.from({ length: 5 }, () => call('GET', path, { token: admin.token })));
    expect(performance.now() - startedAt).toBeLessThan(answerMs);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
    await gateway.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => hole.close(resolve));
  });

  test('when NATS is down, then calls are served, health is degraded, and a lost session still ends soon', async () => {
    const { gateway, call } = await gatewayWithout({ NATS_URL: `nats://${nowhere}` });
    await until(async () => {
      expect((await call('GET', '//health')).body).toMatchObject({ status: 'degraded', services: { nats: 'down' } });
      return true;
    });
    expect((await call('GET', '/me', { token: requester.token })).status).toBe(200);
    await call('POST', '/auth/logout', { body: { refreshToken: requester.refreshToken } });
    await until(async () => (await call('GET', '/me', { token: requester.token })).status === 401, { timeoutMs: toldMs });
    await gateway.close();
  });

  test('when something goes down later, then calls are still sent here, to be told so', async () => {
    const { hostname: host, port } = new URL(`tcp://${world.addresses.provisioner}`);
    const sockets = new Set<Socket>();
    const way = createServer((socket) => {
      const onward = connect({ host, port: Number(port) });
      for (const end of [socket, onward]) sockets.add(end);
      pipeline(socket, onward, socket, () => onward.destroy());
    });
    await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
    const { gateway, call } = await gatewayWithout({ PROVISIONER_ADDRESS: `127.0.0.1:${(way.address() as AddressInfo).port}` });
    await until(async () => (await fetch(`${gateway.url}/readyz`)).status === 200);
    way.close();
    for (const socket of sockets) socket.destroy();
    await until(async () => (await fetch(`${gateway.url}/health`)).status === 503);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    expect((await call('GET', '/grants/me', { token: admin.token })).status).toBe(503);
    await gateway.close();
  });

  test('when a service comes back, then so do its routes', async () => {
    const { gateway, call } = await gatewayWithout({});
    expect((await call('GET', '/org/audit', { token: admin.token })).status).toBe(200);
    await world.services.audit.close();
    expect((await call('GET', '/org/audit', { token: admin.token })).status).toBe(503);
    expect((await call('GET', '/requests/me', { token: admin.token })).status).toBe(200);
    await gateway.close();
  });

  test('when the gateway is told to stop, then it says that it is not ready and lets go of the port', async () => {
    const asked = Promise.withResolvers<void>();
    const gateway = await startTestGateway(world.addresses, {}, { drained: () => asked.promise });
    const closing = gateway.close();
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
    asked.resolve();
    await closing;
    await expect(fetch(`${gateway.url}/livez`)).rejects.toThrow();
  });

  test('when the gateway is told to stop under load, then no call is cut off', async () => {
    let clients: Promise<void>[] = [];
    const gateway = await startTestGateway(world.addresses, {}, { drained: () => Promise.all(clients) });
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const outcomes = new Set<number | string | undefined>();
    /** Calls again and again, until it is told to take another connection. */
    const client = () =>
      new Promise<void>((resolve) => {
        const headers = { authorization: `Bearer ${admin.token}` };
        const sent = request(`${gateway.url}/api/v1/requests/me`, { agent, headers }, (response) => {
          outcomes.add(response.statusCode);
          // The agent has its connection back by then: nobody takes a new one.
          response.resume().on('end', () => (response.headers.connection === 'close' ? resolve() : setImmediate(() => resolve(client()))));
        });
        sent.on('error', (error: NodeJS.ErrnoException) => {
          outcomes.add(error.code);
          resolve();
        });
        sent.end();
      });
    clients = Array.from({ length: 20 }, client);
    await until(() => outcomes.size > 0);
    await gateway.close();
    await Promise.all(clients);
    expect([...outcomes]).toEqual([200]);
    agent.destroy();
  });
});
