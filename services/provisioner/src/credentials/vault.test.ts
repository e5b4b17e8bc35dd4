import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type CredentialKeys, createLocalKeys } from './local-keys.ts';
import { createVault, type Sealed } from './vault.ts';

const keys = { k1: randomBytes(32), k2: randomBytes(32) };
const vaultOf = (current: string, known: CredentialKeys['keys'] = keys) => createVault(createLocalKeys({ current, keys: known }));
const secret = '{"password":"p4ss"}';

test('when a text is sealed, then it opens in its place only', async () => {
  const vault = vaultOf('k1');
  const sealed = await vault.seal(secret, 'grant-1');
  expect(await vault.open(sealed, 'grant-1')).toBe(secret);
  await expect(vault.open(sealed, 'grant-2')).rejects.toThrow();
});

test('when the same text is sealed twice, then nothing of the two is alike', async () => {
  const vault = vaultOf('k1');
  const [one, two] = [await vault.seal(secret, 'g'), await vault.seal(secret, 'g')];
  expect(one.ciphertext.equals(two.ciphertext)).toBe(false);
  expect(one.dataKey.equals(two.dataKey)).toBe(false);
});

test('when any byte was changed, then it does not open', async () => {
  const vault = vaultOf('k1');
  const sealed = await vault.seal(secret, 'g');
  for (const part of ['dataKey', 'iv', 'ciphertext', 'tag'] as const) {
    const changed: Sealed = { ...sealed, [part]: Buffer.from(sealed[part].map((byte, index) => (index === 5 ? byte ^ 1 : byte))) };
    await expect(vault.open(changed, 'g')).rejects.toThrow();
  }
  await expect(vault.open({ ...sealed, tag: sealed.tag.subarray(0, 4) }, 'g')).rejects.toThrow();
});

test('when the current key changes, then what was sealed before still opens, as long as its key is there', async () => {
  const sealed = await vaultOf('k1').seal(secret, 'g');
  expect(sealed.keyId).toBe('k1');
  expect(await vaultOf('k2').open(sealed, 'g')).toBe(secret);
  await expect(vaultOf('k2', { k2: keys.k2 }).open(sealed, 'g')).rejects.toThrow(/k1 is not configured/);
  await expect(vaultOf('k1').open({ ...sealed, keyId: 'toString' }, 'g')).rejects.toThrow(/not configured/);
});

test('when a data key is wrapped again, then the former key is needed no more, and the place still counts', async () => {
  const sealed = await vaultOf('k1').seal(secret, 'g');
  const rotating = vaultOf('k2');
  expect(rotating.formerKeyIds).toEqual(['k1']);
  const rewrapped = { ...sealed, ...(await rotating.rewrap(sealed, 'g')) };
  expect(rewrapped.keyId).toBe('k2');
  expect(await vaultOf('k2', { k2: keys.k2 }).open(rewrapped, 'g')).toBe(secret);
  await expect(rotating.rewrap(sealed, 'other')).rejects.toThrow();
});
