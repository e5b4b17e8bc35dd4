import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { apiKeyPrefix, looksLikeApiKey, newApiKey, parseApiKey } from './api-key.ts';

test('when a key is made, then it says which it is, and its hash is the one of the key presented', () => {
  const id = randomUUID();
  const { key, hash } = newApiKey(id);
  expect(key).toMatch(/^aok_[\w-]{65}[0-9a-f]{8}$/);
  expect(key.startsWith(apiKeyPrefix(id))).toBe(true);
  expect(looksLikeApiKey(key)).toBe(true);
  expect(parseApiKey(key)).toEqual({ keyId: id, hash });
});

test('when two keys are made for one id, then they differ', () => {
  const id = randomUUID();
  expect(newApiKey(id).key).not.toBe(newApiKey(id).key);
});

test('when any character of a key is another, then it is no key', () => {
  const { key } = newApiKey(randomUUID());
  for (let at = 0; at < key.length; at++) {
    const other = key[at] === 'a' ? 'b' : 'a';
    expect(parseApiKey(key.slice(0, at) + other + key.slice(at + 1))).toBeUndefined();
  }
});

test.each(['', 'aok_', 'aok_x', 'eyJhbGciOiJSUzI1NiJ9.e30.x', `aok_${'A'.repeat(73)}`, `aok_${'A'.repeat(100_000)}`])(
  'when %s is presented, then it is no key',
  (text) => {
    expect(parseApiKey(text)).toBeUndefined();
  },
);
