import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type S3Store, startS3Store } from '@accessops/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { createFileStore, type FileStore } from '../src/index.ts';

const bucket = 'files';
const folder = await mkdtemp(join(tmpdir(), 'files-'));
const s3: S3Store | undefined = await startS3Store();
const stores: [name: string, store: FileStore][] = [['a directory', await createFileStore({ directory: folder })]];
if (s3) {
  await s3.makeBucket(bucket);
  const { URL: url, REGION: region, ACCESS_KEY: accessKey, SECRET_KEY: secretKey } = s3.settings();
  stores.push(['an S3 store', await createFileStore({ bucket, url, region, accessKey, secretKey })]);
}
afterAll(async () => {
  for (const [, store] of stores) store.close();
  await s3?.close();
  await rm(folder, { recursive: true });
});

const piecesOf = async function* (count: number, size: number, breakAt?: number) {
  for (let n = 0; n < count; n++) {
    if (n === breakAt) throw new Error('no more');
    yield Buffer.alloc(size, n % 251);
  }
};
const read = async (store: FileStore, key: { tenantId: string; name: string }): Promise<Buffer | undefined> => {
  const content = await store.open(key);
  return content && buffer(content);
};
const text = async function* (content: string) {
  yield Buffer.from(content);
};

describe.each(stores)('%s', (_, store) => {
  const keyOf = (name = `reports/${randomUUID()}.csv`, tenantId = randomUUID()) => ({ tenantId, name });

  test('when a file is kept, then it comes back byte by byte, and is gone once removed', async () => {
    const key = keyOf();
    // More than one part of an upload to S3.
    expect(await store.put(key, piecesOf(13, 1024 * 1024))).toBe(13 * 1024 * 1024);
    const back = await read(store, key);
    expect(back?.equals(await buffer(piecesOf(13, 1024 * 1024)))).toBe(true);
    await store.remove(key);
    expect(await read(store, key)).toBeUndefined();
    await store.remove(key);
  });

  test('when a file is kept again, then the new one takes the place of the old', async () => {
    const key = keyOf();
    await store.put(key, text('before'));
    await store.put(key, text('after'));
    expect(String(await read(store, key))).toBe('after');
    await store.put(key, text(''));
    expect(String(await read(store, key))).toBe('');
  });

  test('when writing breaks off, then what was there stays and nothing half is left', async () => {
    const key = keyOf();
    await store.put(key, text('before'));
    await expect(store.put(key, piecesOf(13, 1024 * 1024, 12))).rejects.toThrow();
    expect(String(await read(store, key))).toBe('before');
    const fresh = keyOf();
    const late = new AbortController();
    const aborting = async function* () {
      yield Buffer.alloc(6 * 1024 * 1024);
      late.abort();
      yield* piecesOf(12, 1024 * 1024);
    };
    await expect(store.put(fresh, aborting(), late.signal)).rejects.toThrow();
    expect(await read(store, fresh)).toBeUndefined();
  });

  test('when two tenants give a file the same name, then each has its own', async () => {
    const [one, other] = [keyOf('a.txt'), keyOf('a.txt')];
    await store.put(one, text('one'));
    expect(await read(store, other)).toBeUndefined();
    await store.put(other, text('other'));
    expect(String(await read(store, one))).toBe('one');
  });

  test('when a name would lead out of the tenant, then nothing is touched', async () => {
    for (const name of ['../x', '/etc/passwd', `../${randomUUID()}/a.txt`]) {
      await expect(store.put(keyOf(name), text('x'))).rejects.toThrow('no name');
      await expect(store.open(keyOf(name))).rejects.toThrow('no name');
      await expect(store.remove(keyOf(name))).rejects.toThrow('no name');
    }
  });
});

test('when files are kept in a directory, then only their owner can read them, and no part is left', async () => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  expect(entries.filter(({ name }) => name.endsWith('.part'))).toEqual([]);
  const files = entries.filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(0);
  for (const { parentPath, name } of files) expect((await stat(join(parentPath, name))).mode & 0o077).toBe(0);
});
