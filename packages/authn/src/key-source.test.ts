import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createKeySource } from './key-source.ts';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;
const pairs: Record<string, KeyPair> = {};
beforeAll(async () => {
  for (const kid of ['old', 'new']) pairs[kid] = await generateKeyPair('RS256', { extractable: true });
});

let time: number;
let published: string[];
let down: boolean;
let fetchedAt: number[];
beforeEach(() => {
  time = 1_000_000;
  published = ['old'];
  down = false;
  fetchedAt = [];
});

const start = () =>
  createKeySource({
    now: () => time,
    fetchJwks: async () => {
      fetchedAt.push(time);
      if (down) throw new Error('connection refused');
      const keys = published.map(async (kid) => ({ ...(await exportJWK((pairs[kid] as KeyPair).publicKey)), kid, alg: 'RS256' }));
      return { keys: await Promise.all(keys) };
    },
  });
const token = (kid: string, signer = kid) =>
  new SignJWT({}).setProtectedHeader({ alg: 'RS256', kid }).sign((pairs[signer] as KeyPair).privateKey);
const accepts = async (source: ReturnType<typeof start>, kid: string) =>
  (await jwtVerify(await token(kid), source)).protectedHeader.kid === kid;
const unknown = async (source: ReturnType<typeof start>, kid: string) =>
  expect(jwtVerify(await token(kid, 'old'), source)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });

describe('fetching', () => {
  test('when many tokens come at once before the first fetch, then the keys are fetched once', async () => {
    const source = start();
    expect(fetchedAt).toEqual([]);
    await Promise.all(Array.from({ length: 50 }, () => accepts(source, 'old')));
    expect(fetchedAt).toHaveLength(1);
  });

  test('when a thousand unknown key ids come in a minute, then they cause at most two fetches', async () => {
    const source = start();
    await accepts(source, 'old');
    fetchedAt = [];
    for (let index = 0; index < 1000; index++) {
      time += 60;
      await unknown(source, `unknown-${index}`);
    }
    expect(fetchedAt.length).toBeLessThanOrEqual(2);
  });

  test('when a thousand unknown key ids come at the same moment, then they cause one fetch', async () => {
    const source = start();
    await accepts(source, 'old');
    time += 31_000;
    await Promise.all(Array.from({ length: 1000 }, (_, index) => unknown(source, `unknown-${index}`)));
    expect(fetchedAt).toHaveLength(2);
  });

  test('when unknown key ids come while the provider is down, then they cause at most two fetches a minute as well', async () => {
    const source = start();
    await accepts(source, 'old');
    [down, fetchedAt] = [true, []];
    for (let index = 0; index < 1000; index++) {
      time += 60;
      await unknown(source, `unknown-${index}`);
    }
    expect(fetchedAt.length).toBeLessThanOrEqual(2);
    expect(await accepts(source, 'old')).toBe(true);
  });
});

describe('rotation', () => {
  test('when the provider has a new key, then its tokens are accepted within 35 seconds, however many unknown ids come', async () => {
    const source = start();
    await accepts(source, 'old');
    published = ['old', 'new'];
    const rotatedAt = time;
    let acceptedAt = 0;
    for (; !acceptedAt && time < rotatedAt + 60_000; time += 500) {
      await unknown(source, `unknown-${time}`);
      if (await accepts(source, 'new').catch(() => false)) acceptedAt = time;
    }
    expect(acceptedAt - rotatedAt).toBeLessThanOrEqual(35_000);
    expect(await accepts(source, 'old')).toBe(true);
  });

  test('when the provider has withdrawn a key, then its tokens are refused after ten minutes', async () => {
    const source = start();
    await accepts(source, 'old');
    published = ['new'];
    time += 10 * 60_000 + 1;
    await unknown(source, 'old');
    expect(await accepts(source, 'new')).toBe(true);
  });

  test('when the keys are due and the provider is down, then those that are known go on', async () => {
    const source = start();
    await accepts(source, 'old');
    down = true;
    for (let minute = 0; minute < 30; minute++) {
      time += 60_000;
      expect(await accepts(source, 'old')).toBe(true);
    }
    expect(fetchedAt.length).toBeLessThan(30);
  });
});

test('when there is no key and the provider is down, then that is said, and the next token tries again at once', async () => {
  const source = start();
  down = true;
  await expect(accepts(source, 'old')).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE', cause: new Error('connection refused') });
  down = false;
  expect(await accepts(source, 'old')).toBe(true);
});
