import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callTo, type Person, startTestGateway, startWorld, type World } from './world.ts';

let world: World;
let root: Person;

beforeAll(async () => {
  world = await startWorld();
  root = await world.staff('platform-admin');
});
afterAll(() => world.close());

const nowhere = '127.0.0.1:9';
const secret = 'not-to-be-told';

const gatewayWith = async (overrides: Record<string, string>) => {
  const gateway = await startTestGateway(world.addresses, { EVENTS_NAMESPACE: world.namespace, ...overrides });
  const get = (path: string) => callTo(gateway.url)('GET', path, { token: root.token });
  /** What is slow for a moment counts as down for that long: asked until nothing but this is. */
  const whenDown = (name: string) =>
    until(async () => {
      const { status, body } = await get('/admin/ops/env-sanity');
      const down = (body.dependencies as { name: string; status: string }[]).filter((one) => one.status === 'down');
      return down.map((one) => one.name).join() === name && { status, body };
    });
  return { gateway, get, whenDown };
};

test('when staff ask which commit runs, then it is the one that was deployed', async () => {
  const { gateway, get } = await gatewayWith({ ACCESSOPS_COMMIT: 'abc123' });
  const { status, body } = await get('/admin/ops/current-commit');
  expect([status, body.commit_sha]).toEqual([200, 'abc123']);
  expect(Date.parse(String(body.deployed_at))).toBeLessThanOrEqual(Date.now());
  await gateway.close();
});

test('when staff ask what is lacking, then each dependency and each process is told, with what is not set, and no value', async () => {
  const { gateway, whenDown } = await gatewayWith({ REDIS_URL: `redis://:${secret}@127.0.0.1:9`, NATS_PASSWORD: secret });
  const { status, body } = await whenDown('nats');
  expect(status).toBe(200);
  type Process = { name: string; status: string; missing: object[]; dependencies: object[] };
  const { dependencies, processes } = body as { dependencies: unknown[]; processes: Process[] };
  for (const name of ['identity', 'requests', 'approvals', 'provisioner', 'audit', 'cerbos'])
    expect(dependencies).toContainEqual({ name, status: 'ok', critical: name !== 'audit' });
  // It was given a wrong password for NATS.
  expect([body.status, dependencies]).toEqual(['degraded', expect.arrayContaining([{ name: 'nats', status: 'down', critical: false }])]);
  expect(processes.map(({ name, status: is }) => `${name} ${is}`)).toEqual(
    ['gateway', 'identity', 'requests', 'approvals', 'provisioner', 'audit'].map((name) => `${name} ok`),
  );
  expect(processes.find(({ name }) => name === 'requests')?.dependencies).toEqual([
    { name: 'postgresql', status: 'ok', critical: true },
    { name: 'cerbos', status: 'ok', critical: true },
    { name: 'nats', status: 'ok', critical: false },
  ]);
  const lacks = (name: string) => JSON.stringify(processes.find((process) => process.name === name)?.missing);
  expect(lacks('gateway')).toContain('ACCESSOPS_COMMIT');
  expect(lacks('gateway')).not.toContain('REDIS_URL');
  expect(lacks('identity')).toContain('SMTP_URL');
  expect(JSON.stringify(body)).not.toContain(secret);
  await gateway.close();
});

test('when a service is away, then staff are told that too', async () => {
  const { gateway, whenDown } = await gatewayWith({ AUDIT_ADDRESS: nowhere });
  const { status, body } = await whenDown('audit');
  expect([status, body.status]).toEqual([200, 'degraded']);
  expect(body.processes).toContainEqual({ name: 'audit', status: 'down', commitSha: null, startedAt: null, dependencies: [], missing: [] });
  await gateway.close();
});
