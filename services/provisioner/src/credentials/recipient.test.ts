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

const base64url = (...bytes: number[]) => Buffer.from(bytes).toString('base64url');

test('when numbers of RSA are such that nobody could read it, or everybody, then the number is named', async () => {
  const { jwk } = await pairOf('RSA-OAEP-256', { modulusLength: 2048 });
  for (const e of [base64url(0), base64url(1), base64url(3), base64url(1, 0, 0), base64url(1, 0, 2), base64url(0, 0, 0, 1)])
    expect([e, await refusal({ ...jwk, e })]).toEqual([e, ['INVALID_FIELDS', '/publicKey/e']]);
  const n = Buffer.from(String(jwk.n), 'base64url');
  const even = base64url(...n.subarray(0, -1), 0xc4);
  expect(await refusal({ ...jwk, n: even })).toEqual(['INVALID_FIELDS', '/publicKey/n']);
  const short = base64url(...Buffer.alloc(128), ...n.subarray(128));
  for (const tooShort of [short, base64url(0), base64url(...Buffer.alloc(300))])
    expect(await refusal({ ...jwk, n: tooShort })).toEqual(['INVALID_FIELDS', '/publicKey']);
});

test.each(['00'.repeat(32), `01${'00'.repeat(31)}`, 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'])(
  'when the point of X25519 is one of low order (%s), then it is refused instead of agreed upon',
  async (point) => {
    const x = Buffer.from(point, 'hex').toString('base64url');
    const encrypted = recipientOf({ kty: 'OKP', crv: 'X25519', x }).then(({ encrypt }) => encrypt('{}'));
    await expect(encrypted).rejects.toMatchObject({ code: 'INVALID_FIELDS', fields: [{ pointer: '/publicKey' }] });
  },
);

test.each(['P-256', 'P-384', 'P-521'])('when a point is not on %s, then it is refused', async (crv) => {
  const { jwk } = await pairOf('ECDH-ES+A256KW', { crv });
  const y = Buffer.from(String(jwk.y), 'base64url');
  y.writeUInt8((y.at(-1) ?? 0) ^ 1, y.length - 1);
  const zero = Buffer.alloc(y.length).toString('base64url');
  for (const wrong of [{ y: y.toString('base64url') }, { x: zero, y: zero }, { x: 'AQ', y: 'AQ' }, { y: '' }])
    expect([wrong, await refusal({ ...jwk, ...wrong })]).toEqual([wrong, ['INVALID_FIELDS', '/publicKey']]);
});
