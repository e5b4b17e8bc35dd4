import { newId } from '@accessops/db';
import { TenantCreatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { startS3Store, until } from '@accessops/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Access, type Connector, finalFence } from '../../src/connector.ts';
import { createS3Connector } from '../../src/connectors/s3/s3.ts';
import { newAccess } from '../access.ts';
import { end, spawnProvisioner } from '../child.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../fault-proxy.ts';
import { type Suite, startSuite } from '../suite.ts';

const patience = 60_000;
const signal = AbortSignal.timeout(600_000);
const store = await startS3Store();

describe.runIf(store)('access to buckets', () => {
  if (!store) return;
  let connector: Connector;
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await startFaultProxy(store.iamPort);
    const login = (name: string, more: object = {}) =>
      [name, { name, settings: { ...store.settings(), ...more }, tenants: new Set(['acme']) }] as const;
    connector = createS3Connector(
      new Map([
        login('lake'),
        login('wrong-key', { SECRET_KEY: 'no' }),
        login('stranger', { ACCESS_KEY: 'no' }),
        login('nowhere', { IAM_URL: 'http://127.0.0.1:1' }),
      ]),
    );
    await Promise.all([store.makeBucket('mine'), store.makeBucket('other')]);
  });
  afterEach(() => proxy.set({ kind: 'none' }));
  afterAll(async () => {
    await proxy.close();
    await store.close();
  });

  const config = { login: 'lake', bucket: 'mine', roles: { reader: 'read', writer: 'read-write' } };
  const access = (partial: Partial<Access> = {}): Access => newAccess({ resourceKey: 'lake', role: 'writer', config, ...partial });
  const finish = (wanted: Access) => connector.revoke({ ...wanted, fence: finalFence }, signal);

  test('when access is made, then its key works with the bucket as the role says, and with nothing else', async () => {
    const [writing, reading] = [access(), access({ role: 'reader' })];
    const [writer, reader] = [(await connector.apply(writing, signal)).credential, (await connector.apply(reading, signal)).credential];
    expect(writer).toEqual({
      endpoint: store.settings().URL,
      region: 'us-east-1',
      bucket: 'mine',
      accessKeyId: expect.any(String),
      secretAccessKey: expect.any(String),
    });
    expect(await store.as(writer, 'PUT', '/mine/note', 'hello')).toBe(200);
    expect(await store.as(reader, 'GET', '/mine/note')).toBe(200);
    expect(await store.as(reader, 'GET', '/mine?list-type=2')).toBe(200);
    const forbidden: [Record<string, unknown>, string, string][] = [
      [reader, 'PUT', '/mine/note'],
      [reader, 'DELETE', '/mine/note'],
      [writer, 'GET', '/other?list-type=2'],
      [writer, 'PUT', '/other/note'],
      [writer, 'PUT', '/third'],
      [writer, 'DELETE', '/mine'],
      [writer, 'PUT', '/mine?policy'],
      [writer, 'GET', '/'],
    ];
    for (const [who, method, path] of forbidden) {
      expect([method, path, await store.as(who, method, path)]).toEqual([method, path, 403]);
    }
    expect(await store.as(writer, 'DELETE', '/mine/note')).toBe(204);
    await Promise.all([finish(writing), finish(reading)]);
  });

  test('when access ends, then its key opens nothing, and the user is gone', async () => {
    const wanted = access();
    const { credential } = await connector.apply(wanted, signal);
    expect(await connector.verify(wanted, signal)).toBe(true);
    await finish(wanted);
    expect(await store.as(credential, 'GET', '/mine?list-type=2')).toBe(403);
    expect(await connector.verify(wanted, signal)).toBe(false);
    await finish(wanted);
  });

  test('when nobody comes to take access away, then it ends by the clock of the store', async () => {
    const wanted = access({ durationMs: 2000 });
    const { credential } = await connector.apply(wanted, signal);
    await until(async () => (await store.as(credential, 'GET', '/mine?list-type=2')) === 403);
    await finish(wanted);
  });

  test('when access is extended, then the same key goes on beyond the first end, and ends after the second', async () => {
    const wanted = access({ durationMs: 2500 });
    await expect(connector.extend?.(wanted, signal)).rejects.toMatchObject({ kind: 'refused' });
    const { credential } = await connector.apply(wanted, signal);
    const over = Date.now() + 2500;
    expect(await connector.extend?.({ ...wanted, fence: 2, durationMs: 6000 }, signal)).toBeNull();
    await until(() => Date.now() > over);
    expect(await store.as(credential, 'GET', '/mine?list-type=2')).toBe(200);
    await until(async () => (await store.as(credential, 'GET', '/mine?list-type=2')) === 403, { timeoutMs: 10_000 });
    await expect(connector.extend?.(wanted, signal)).rejects.toMatchObject({ kind: 'failed' });
    await finish(wanted);
  });

  test('when it is applied twice under one key, then there is one user, and the later key counts', async () => {
    const wanted = access();
    const first = await connector.apply(wanted, signal);
    const second = await connector.apply({ ...wanted, attempt: 2, fence: 2 }, signal);
    expect(second.handle).toEqual(first.handle);
    expect(await store.as(first.credential, 'GET', '/mine?list-type=2')).toBe(403);
    expect(await store.as(second.credential, 'GET', '/mine?list-type=2')).toBe(200);
    await finish(wanted);
  });

  test('when an earlier worker comes late, then it neither makes nor takes anything', async () => {
    const wanted = access();
    const { credential } = await connector.apply({ ...wanted, fence: 2 }, signal);
    await expect(connector.apply(wanted, signal)).rejects.toMatchObject({ kind: 'failed' });
    await connector.revoke(wanted, signal);
    expect(await store.as(credential, 'GET', '/mine?list-type=2')).toBe(200);
    await finish(wanted);
  });

  test('when time is up, then nothing more is asked of the store', async () => {
    const wanted = access();
    await expect(connector.apply(wanted, AbortSignal.abort(new DOMException('…', 'TimeoutError')))).rejects.toThrow();
    expect(await connector.verify(wanted, signal)).toBe(false);
  });

  test.each([
    ['a login that there is not', { ...config, login: 'other' }, 'refused', /no login "other"/],
    ['a bucket that is none', { ...config, bucket: 'mine/*' }, 'refused', /wrong at bucket/],
    ['no meaning of the role', { ...config, roles: { reader: 'read' } }, 'refused', /"writer"/],
    ['a wrong secret', { ...config, login: 'wrong-key' }, 'refused', /does not accept the key/],
    ['an unknown key', { ...config, login: 'stranger' }, 'refused', /does not accept the key/],
    ['a store that is not there', { ...config, login: 'nowhere' }, 'failed', /cannot be reached/],
  ])('when the configuration names %s, then it is told so', async (_, wrong, kind, message) => {
    await expect(connector.apply(access({ config: wrong }), signal)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
    });
  });

  test('when a connection is checked, then people read what to put right', async () => {
    const check = (login: string) =>
      connector.check({ tenantId: newId(), tenantSlug: 'acme', config: { ...config, login }, roles: ['reader'] }, signal);
    expect(await check('lake')).toEqual([]);
    expect(await check('other')).toEqual([{ pointer: '/login', message: 'is no login that this organisation may use' }]);
    expect(await check('wrong-key')).toMatchObject([{ pointer: '/login', message: expect.stringMatching(/does not accept/) }]);
    expect(await check('nowhere')).toMatchObject([{ pointer: '/login', message: expect.stringMatching(/cannot be reached/) }]);
  });

  describe('in jobs', () => {
    let suite: Suite;
    beforeAll(async () => {
      const variables = { ...store.settings(proxy.port), TENANTS: 'acme' };
      const environment = Object.fromEntries(Object.entries(variables).map(([name, value]) => [`CONNECTOR_S3_LAKE_${name}`, value]));
      suite = await startSuite({ environment, overrides: { worker: { deadlineMs: 2000 } } });
      const { tenantId } = suite;
      await suite.tell('identity', TenantCreatedSchema, { tenantId, slug: 'acme', name: 'Acme' }, { aggregateId: tenantId });
    });
    afterAll(() => suite.close());

    const approve = () => suite.approve({ connector: 's3', config });
    const credentialOf = async (requestId: string): Promise<Record<string, unknown>> => {
      const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
      const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: id });
      return JSON.parse(credentialJson) as Record<string, unknown>;
    };
    const statusOf = (credential: Record<string, unknown>) => store.as(credential, 'GET', '/mine?list-type=2');

    test.each<[string, Fault]>([
      ['is down', { kind: 'down' }],
      ['takes connections and says nothing', { kind: 'deaf' }],
      ['breaks off half way', { kind: 'cut-before', sent: /Action=PutUserPolicy/ }],
      ['has given a key when the connection breaks', { kind: 'cut-answer', sent: /Action=CreateAccessKey/ }],
      ['times out after giving a key', { kind: 'no-answer', sent: /Action=CreateAccessKey/ }],
    ])('when the store %s, then access is made once it is well again, and ends', { timeout: patience }, async (_, fault) => {
      proxy.set(fault);
      const requestId = await approve();
      await until(async () => (await suite.job(requestId))?.last_error, { timeoutMs: patience });
      proxy.set({ kind: 'none' });
      const credential = await credentialOf(requestId);
      expect(await statusOf(credential)).toBe(200);
      await suite.withdraw(requestId);
      await suite.grantIs(requestId, ['REVOKED'], patience);
      expect(await statusOf(credential)).toBe(403);
    });

    test.each<[string, Fault]>([
      ['is down', { kind: 'down' }],
      ['breaks off before the user is deleted', { kind: 'cut-before', sent: /Action=DeleteUser&/ }],
    ])(
      'when the store %s at the end, then that is visible, and REVOKED only when the user is gone',
      { timeout: patience },
      async (_, fault) => {
        const requestId = await approve();
        const credential = await credentialOf(requestId);
        proxy.set(fault);
        await suite.withdraw(requestId);
        await suite.grantIs(requestId, ['REVOKE_FAILED'], patience);
        proxy.set({ kind: 'none' });
        await suite.grantIs(requestId, ['REVOKED'], patience);
        expect(await statusOf(credential)).toBe(403);
      },
    );
  });

  test('when workers are killed again and again while they make and take access, then each access is there once, and none is left over', {
    timeout: 180_000,
  }, async () => {
    const variables = { ...store.settings(), TENANTS: 'acme' };
    const environment = Object.fromEntries(Object.entries(variables).map(([name, value]) => [`CONNECTOR_S3_LAKE_${name}`, value]));
    const suite = await startSuite({ instances: 0, environment });
    try {
      const { tenantId } = suite;
      await suite.tell('identity', TenantCreatedSchema, { tenantId, slug: 'acme', name: 'Acme' }, { aggregateId: tenantId });
      const requests: string[] = [];
      /** Starts a worker, and kills it as soon as the next of them has gone on. */
      const killWhen = async (moved: () => Promise<unknown>) => {
        const child = spawnProvisioner(suite);
        await until(moved, { timeoutMs: patience, what: 'a worker at work' });
        await end(child, 'SIGKILL');
      };
      const count = async (sql: string) => Number((await suite.sql.query(`select count(*) from ${sql}`)).rows[0].count);
      for (let n = 0; n < 10; n++) requests.push(await suite.approve({ connector: 's3', config }));
      await killWhen(() => count(`job where kind = 'PROVISION' and status <> 'QUEUED'`));
      await killWhen(() => count(`job where kind = 'PROVISION' and attempts > 1`));
      await suite.start();
      const keys = await Promise.all(
        requests.map(async (requestId) => {
          const { id } = await suite.grantIs(requestId, ['ACTIVE'], patience);
          const { credentialJson } = await (await suite.as(suite.requester)).readCredential({ grantId: id });
          const credential = JSON.parse(credentialJson) as Record<string, unknown>;
          expect(await store.as(credential, 'GET', '/mine?list-type=2')).toBe(200);
          return (await suite.jobIs(requestId, 'SUCCEEDED')).id;
        }),
      );
      await suite.stopAll();
      for (const requestId of requests) await suite.withdraw(requestId);
      await killWhen(() => count(`job where kind = 'REVOKE' and status <> 'QUEUED'`));
      await suite.start();
      for (const requestId of requests) await suite.grantIs(requestId, ['REVOKED'], patience);
      expect(await Promise.all(keys.map((key) => connector.verify(access({ key }), signal)))).toEqual(keys.map(() => false));
    } finally {
      await suite.close();
    }
  });
});
