import { compactDecrypt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { expect, test } from 'vitest';
import { recipientOf } from './recipient.ts';

const pairOf = async (alg: string, options = {}) => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, ...options });
  return { jwk: (await exportJWK(publicKey)) as Record<string, unknown>, privateKey };
};
const refusal = (jwk: JWK | Record<string, unknown>) =>
  recipientOf(jwk as Record<string, unknown>).then(
    () => 'taken',
    ({ code, fields }: { code: string; fields: { pointer: string }[] }) => [code, ...fields.map(({ pointer }) => pointer)],
  );

test.each([
  ['ECDH-ES+A256KW', { crv: 'P-256' }],
  ['ECDH-ES+A256KW', { crv: 'P-384' }],
  ['ECDH-ES+A256KW', { crv: 'P-521' }],
  ['ECDH-ES+A256KW', { crv: 'X25519' }],
  ['RSA-OAEP-256', { modulusLength: 2048 }],
])('when the key is for %s (%j), then its owner can decrypt, and nobody else', async (alg, options) => {
  const { jwk, privateKey } = await pairOf(alg, options);
  const text = '{"password":"p4ss"}';
  const jwe = await (await recipientOf({ ...jwk, kid: 'laptop', use: 'enc', alg })).encrypt(text);
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, privateKey);
  expect(new TextDecoder().decode(plaintext)).toBe(text);
  expect(protectedHeader).toMatchObject({ alg, enc: 'A256GCM', kid: 'laptop', cty: 'json' });
  const other = await pairOf(alg, options);
  await expect(compactDecrypt(jwe, other.privateKey)).rejects.toThrow();
});

test('when it is no key that can be encrypted to, then the part that is wrong is named', async () => {
  const { jwk, privateKey } = await pairOf('ECDH-ES+A256KW', { crv: 'P-256' });
  const ofSignatures = await pairOf('EdDSA');
  const short = await pairOf('RSA-OAEP-256', { modulusLength: 1024 }).catch(() => undefined);
  expect(await refusal({})).toEqual(['INVALID_FIELDS', '/publicKey/kty']);
  expect(await refusal({ kty: 'oct', k: 'AAAA' })).toEqual(['INVALID_FIELDS', '/publicKey']);
  expect(await refusal(await exportJWK(privateKey))).toEqual(['INVALID_FIELDS', '/publicKey']);
  expect(await refusal({ ...jwk, crv: 'secp256k1' })).toEqual(['INVALID_FIELDS', '/publicKey/crv']);
  expect(await refusal({ ...jwk, use: 'sig' })).toEqual(['INVALID_FIELDS', '/publicKey/use']);
  expect(await refusal({ ...jwk, alg: 'dir' })).toEqual(['INVALID_FIELDS', '/publicKey/alg']);
  expect(await refusal({ ...jwk, x: 'not base64!' })).toEqual(['INVALID_FIELDS', '/publicKey/x']);
  expect(await refusal({ ...jwk, y: jwk.x })).toEqual(['INVALID_FIELDS', '/publicKey']);
  expect(await refusal(ofSignatures.jwk)).toEqual(['INVALID_FIELDS', '/publicKey/crv']);
  expect(await refusal({ kty: 'RSA', n: 'x'.repeat(1367), e: 'AQAB' })).toEqual(['INVALID_FIELDS', '/publicKey/n']);
  const n = short?.jwk.n ?? Buffer.alloc(128, 0xc5).toString('base64url');
  expect(await refusal({ kty: 'RSA', n, e: 'AQAB' })).toEqual(['INVALID_FIELDS', '/publicKey']);
});
