import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { open, seal } from './seal.ts';

const key = randomBytes(32);
const secret = Buffer.from('a private key');

test('when sealed with key and context, then the same two open it', () => {
  expect(open(key, seal(key, secret, 'kid-1'), 'kid-1')).toEqual(secret);
});

test('when the key, the context or one bit is another, then it does not open', () => {
  const sealed = seal(key, secret, 'kid-1');
  expect(() => open(randomBytes(32), sealed, 'kid-1')).toThrow();
  expect(() => open(key, sealed, 'kid-2')).toThrow();
  for (let at = 0; at < sealed.length; at++) {
    const bent = Buffer.from(sealed);
    bent[at] = (bent[at] ?? 0) ^ 1;
    expect(() => open(key, bent, 'kid-1')).toThrow();
  }
});

test('when the same is sealed twice, then nothing tells that it is the same', () => {
  expect(seal(key, secret, 'kid-1')).not.toEqual(seal(key, secret, 'kid-1'));
});
