import { newId } from '@accessops/db';
import { startS3Store, until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Access, type Connector, finalFence } from '../../src/connector.ts';
import { createS3Connector } from '../../src/connectors/s3/s3.ts';
import { newAccess } from '../access.ts';
import { patient } from '../patient.ts';
import { describeExtension } from '../targets/describe-extension.ts';
import { startS3 } from '../targets/s3.ts';

const signal = new AbortController().signal;
const store = await startS3Store();

describe.runIf(store)('access to buckets', () => {
  if (!store) return;
  let impatient: Connector;
  let connector: Connector;
  beforeAll(async () => {
    const login = (name: string, more: object = {}) =>
      [name, { name, settings: { ...store.settings(), ...more }, tenants: new Set(['acme']) }] as const;
    impatient = createS3Connector(
      new Map([
        login('lake'),
        login('wrong-key', { SECRET_KEY: 'no' }),
        login('stranger', { ACCESS_KEY: 'no' }),
        login('nowhere', { IAM_URL: 'http://127.0.0.1:1' }),
      ]),
    );
    connector = patient(impatient);
    await Promise.all([store.makeBucket('mine'), store.makeBucket('other')]);
  });
  afterAll(() => store.close());

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
    expect(await connector.extend?.({ ...wanted, fence: 2, durationMs: 3_600_000 }, signal)).toBeNull();
    await until(() => Date.now() > over);
    expect(await store.as(credential, 'GET', '/mine?list-type=2')).toBe(200);
    expect(await connector.extend?.({ ...wanted, fence: 3, durationMs: 1000 }, signal)).toBeNull();
    await until(async () => (await store.as(credential, 'GET', '/mine?list-type=2')) === 403);
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
    await expect(impatient.apply(wanted, AbortSignal.abort(new DOMException('…', 'TimeoutError')))).rejects.toThrow();
    expect(await connector.verify(wanted, signal)).toBe(false);
  });

  test.each([
    ['a login that there is not', { ...config, login: 'other' }, 'refused', /no login "other"/],
    ['a bucket that is not there', { ...config, bucket: 'no-such-bucket' }, 'refused', /no bucket "no-such-bucket"/],
    ['a bucket that is none', { ...config, bucket: 'mine/*' }, 'refused', /wrong at bucket/],
    ['no meaning of the role', { ...config, roles: { reader: 'read' } }, 'refused', /"writer"/],
    ['a wrong secret', { ...config, login: 'wrong-key' }, 'refused', /does not accept the key/],
    ['an unknown key', { ...config, login: 'stranger' }, 'refused', /does not accept the key/],
    ['a store that is not there', { ...config, login: 'nowhere' }, 'failed', /cannot be reached/],
  ])('when the configuration names %s, then it is told so', async (_, wrong, kind, message) => {
    const hands = kind === 'refused' ? connector : impatient;
    await expect(hands.apply(access({ config: wrong }), signal)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(message),
    });
  });

  test('when a connection is checked, then people read what to put right', async () => {
    const check = (login: string, more: object = {}) =>
      connector.check({ tenantId: newId(), tenantSlug: 'acme', config: { ...config, login, ...more }, roles: ['reader'] }, signal);
    expect(await check('lake')).toEqual([]);
    expect(await check('lake', { bucket: 'no-such-bucket' })).toEqual([{ pointer: '/bucket', message: 'does not exist at the target' }]);
    expect(await check('other')).toEqual([{ pointer: '/login', message: 'is no login that this organisation may use' }]);
    expect(await check('wrong-key')).toMatchObject([{ pointer: '/login', message: expect.stringMatching(/does not accept/) }]);
    expect(await check('nowhere')).toMatchObject([{ pointer: '/login', message: expect.stringMatching(/cannot be reached/) }]);
  });
});

describeExtension(await startS3(), { renews: false });
