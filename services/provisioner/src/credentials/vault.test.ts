import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createVault, type Sealed } from './vault.ts';

const keys = { k1: randomBytes(32), k2: randomBytes(32) };
const secret = '{"password":"p4ss"}';

test('when a text is sealed, then it opens in its place only', () => {
  const vault = createVault({ current: 'k1', keys });
  const sealed = vault.seal(secret, 'grant-1');
  expect(vault.open(sealed, 'grant-1')).toBe(secret);
  expect(() => vault.open(sealed, 'grant-2')).toThrow();
});

test('when the same text is sealed twice, then nothing of the two is alike', () => {
  const vault = createVault({ current: 'k1', keys });
  const [one, two] = [vault.seal(secret, 'g'), vault.seal(secret, 'g')];
  expect(one.ciphertext.equals(two.ciphertext)).toBe(false);
  expect(one.dataKey.equals(two.dataKey)).toBe(false);
});

test('when any byte was changed, then it does not open', () => {
  const vault = createVault({ current: 'k1', keys });
  const sealed = vault.seal(secret, 'g');
  for (const part of ['dataKey', 'iv', 'ciphertext', 'tag'] as const) {
    const changed: Sealed = { ...sealed, [part]: Buffer.from(sealed[part].map((byte, index) => (index === 5 ? byte ^ 1 : byte))) };
    expect(() => vault.open(changed, 'g')).toThrow();
  }
  expect(() => vault.open({ ...sealed, tag: sealed.tag.subarray(0, 4) }, 'g')).toThrow();
});

test('when the current key changes, then what was sealed before still opens, as long as its key is there', () => {
  const sealed = createVault({ current: 'k1', keys }).seal(secret, 'g');
  expect(sealed.keyId).toBe('k1');
  expect(createVault({ current: 'k2', keys }).open(sealed, 'g')).toBe(secret);
  expect(() => createVault({ current: 'k2', keys: { k2: keys.k2 } }).open(sealed, 'g')).toThrow(/k1 is not configured/);
  expect(() => createVault({ current: 'k1', keys }).open({ ...sealed, keyId: 'toString' }, 'g')).toThrow(/not configured/);
});

test('when a data key is wrapped again, then the former key is needed no more, and the place still counts', () => {
  const sealed = createVault({ current: 'k1', keys }).seal(secret, 'g');
  const rotating = createVault({ current: 'k2', keys });
  expect(rotating.formerKeyIds).toEqual(['k1']);
  const rewrapped = { ...sealed, ...rotating.rewrap(sealed, 'g') };
  expect(rewrapped.keyId).toBe('k2');
  expect(createVault({ current: 'k2', keys: { k2: keys.k2 } }).open(rewrapped, 'g')).toBe(secret);
  expect(() => rotating.rewrap(sealed, 'other')).toThrow();
});
