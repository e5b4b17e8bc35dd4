import { AppError } from '@accessops/errors';
import { base64url, CompactEncrypt, createLocalJWKSet, exportJWK, exportSPKI, generateKeyPair, type JWTVerifyGetKey, SignJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAccessTokenVerifier, type VerifyAccessToken } from './access-token.ts';

const issuer = 'https://id.accessops.test';
type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;
let provider: KeyPair;
let stranger: KeyPair;
let keys: JWTVerifyGetKey;
let verify: VerifyAccessToken;
let lookups = 0;

beforeAll(async () => {
  provider = await generateKeyPair('RS256', { extractable: true });
  stranger = await generateKeyPair('RS256', { extractable: true });
  const local = createLocalJWKSet({ keys: [{ ...(await exportJWK(provider.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }] });
  keys = (header, token) => {
    lookups += 1;
    return local(header, token);
  };
  verify = createAccessTokenVerifier({ issuer, keys });
});
afterEach(() => void vi.useRealTimers());

const seconds = () => Math.floor(Date.now() / 1000);
const claims = (changed: Record<string, unknown> = {}) => ({
  iss: issuer,
  sub: 'u-1',
  sid: '01935d2e-1c3d-7d39-9e96-e8b31c4f04e9',
  aud: 'accessops-app',
  iat: seconds(),
  exp: seconds() + 900,
  ...changed,
});
const sign = (payload: Record<string, unknown> = claims(), header: Record<string, unknown> = {}, key: unknown = provider.privateKey) =>
  new SignJWT(payload)
    .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'at+jwt', ...header })
    .sign(key as Parameters<SignJWT['sign']>[0]);
/** A token of any header and claims with any signature. */
const raw = (header: object, payload: object, signature = '') =>
  `${base64url.encode(JSON.stringify(header))}.${base64url.encode(JSON.stringify(payload))}.${signature}`;
/** What becomes of a token: `accepted`, or the code it is refused with. */
const verdictOn = (token: string) =>
  verify(token).then(
    () => 'accepted',
    (error: AppError) => error.code,
  );

describe('a good token', () => {
  test('when it is verified, then its claims are answered', async () => {
    const token = await sign(
      claims({
        aud: ['accessops-org-admin', 'accessops-app'],
        acr: '2',
        amr: ['pwd', 'otp'],
        email: 'a@acme.test',
        organization: { acme: { id: 't-1', groups: ['/admin'] } },
        realm_access: { roles: ['platform-admin'] },
      }),
    );
    expect(await verify(token)).toMatchObject({
      sub: 'u-1',
      sid: '01935d2e-1c3d-7d39-9e96-e8b31c4f04e9',
      aud: ['accessops-org-admin', 'accessops-app'],
      organization: { acme: { id: 't-1', groups: ['/admin'] } },
      realm_access: { roles: ['platform-admin'] },
    });
  });

  test('when its audience is one text, then it is answered as a list', async () => {
    expect((await verify(await sign())).aud).toEqual(['accessops-app']);
  });

  test('when it comes again, then it is remembered until it expires, not longer', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    const token = await sign(claims({ exp: seconds() + 10 }));
    await verify(token);
    const before = lookups;
    await verify(token);
    expect(lookups).toBe(before);
    vi.setSystemTime(Date.now() + 10_000);
    expect(await verdictOn(token)).toBe('INVALID_TOKEN');
  });
});

describe('algorithms', () => {
  test.each(['none', 'None', 'NONE', ''])('when the algorithm is %j, then the token is refused without looking for a key', async (alg) => {
    const before = lookups;
    expect(await verdictOn(raw({ alg, typ: 'at+jwt', kid: 'k1' }, claims()))).toBe('INVALID_TOKEN');
    expect(await verdictOn(raw({ alg, typ: 'at+jwt', kid: 'k1' }, claims(), (await sign()).split('.')[2]))).toBe('INVALID_TOKEN');
    expect(lookups).toBe(before);
  });

  test.each(['HS256', 'HS384', 'HS512'])(
    'when it is signed by %s with the public RSA key as the secret, then it is refused',
    async (alg) => {
      const pem = await exportSPKI(provider.publicKey);
      for (const secret of [pem, pem.trim(), JSON.stringify(await exportJWK(provider.publicKey))]) {
        expect(await verdictOn(await sign(claims(), { alg }, new TextEncoder().encode(secret)))).toBe('INVALID_TOKEN');
      }
    },
  );

  test.each(['RS384', 'RS512', 'PS256'])('when it is signed by %s, then it is refused', async (alg) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    expect(await verdictOn(await sign(claims(), { alg }, pair.privateKey))).toBe('INVALID_TOKEN');
  });

  test('when the header says RS256 and the signature is another, then it is refused', async () => {
    const [header, payload] = (await sign()).split('.');
    expect(await verdictOn(`${header}.${payload}.`)).toBe('INVALID_TOKEN');
    expect(await verdictOn(`${header}.${payload}.${base64url.encode('x'.repeat(256))}`)).toBe('INVALID_TOKEN');
  });
});

describe('keys', () => {
  test('when it is signed by somebody else under a known key id, then it is refused', async () => {
    expect(await verdictOn(await sign(claims(), {}, stranger.privateKey))).toBe('INVALID_TOKEN');
  });

  test('when its header brings a key along, then that key is not used', async () => {
    const jwk = await exportJWK(stranger.publicKey);
    expect(await verdictOn(await sign(claims(), { jwk }, stranger.privateKey))).toBe('INVALID_TOKEN');
    expect(await verdictOn(await sign(claims(), { jku: 'https://attacker.test/jwks', kid: 'unknown' }, stranger.privateKey))).toBe(
      'INVALID_TOKEN',
    );
    expect(await verdictOn(await sign(claims(), { kid: '../../k1' }, stranger.privateKey))).toBe('INVALID_TOKEN');
  });

  test('when the keys cannot be had, then that is a dependency that is down, not a bad token', async () => {
    const without = createAccessTokenVerifier({
      issuer,
      keys: () => {
        throw new AppError('DEPENDENCY_UNAVAILABLE');
      },
    });
    await expect(without(await sign())).rejects.toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
  });
});

describe('claims', () => {
  test.each(['JWT', 'jwt', 'id+jwt', 'refresh+jwt', 'logout+jwt', undefined])('when its type is %s, then it is refused', async (typ) => {
    expect(await verdictOn(await sign(claims(), { typ }))).toBe('INVALID_TOKEN');
  });

  test.each<[string, Record<string, unknown>]>([
    ['another issuer', { iss: 'https://attacker.test' }],
    ['an issuer that begins alike', { iss: `${issuer}.attacker.test` }],
    ['no issuer', { iss: undefined }],
    ['no subject', { sub: undefined }],
    ['an empty subject', { sub: '' }],
    ['a subject that is no text', { sub: { toString: 'x' } }],
    ['no session', { sid: undefined }],
    ['no audience', { aud: undefined }],
    ['an audience that is no text', { aud: 7 }],
    ['no expiry', { exp: undefined }],
    ['no time of issue', { iat: undefined }],
    ['organisations that are a list', { organization: ['acme'] }],
    ['roles that are no list', { realm_access: { roles: 'platform-admin' } }],
  ])('when it has %s, then it is refused', async (_, changed) => {
    expect(await verdictOn(await sign(claims(changed)))).toBe('INVALID_TOKEN');
  });

  test.each<[string, () => Record<string, unknown>]>([
    ['expired', () => ({ exp: seconds() - 1 })],
    ['expired this very second', () => ({ exp: seconds() })],
    ['not yet valid', () => ({ nbf: seconds() + 60 })],
    ['valid until a fraction of a second', () => ({ exp: seconds() + 900.5 })],
    ['valid until before 1970', () => ({ exp: -1 })],
    ['valid until zero', () => ({ exp: 0 })],
    ['valid until a text', () => ({ exp: String(seconds() + 900) })],
    ['valid for ever', () => ({ exp: 1e300 })],
    ['issued at a fraction of a second', () => ({ iat: seconds() - 0.5 })],
    ['issued before 1970', () => ({ iat: -5 })],
    ['not valid before a text', () => ({ nbf: 'now' })],
    ['not valid before a fraction ahead', () => ({ nbf: seconds() + 60.5 })],
  ])('when it is %s, then it is refused', async (_, changed) => {
    expect(await verdictOn(await sign(claims(changed())))).toBe('INVALID_TOKEN');
  });
});

describe('form', () => {
  test('when it is huge, then it is refused without looking for a key', async () => {
    const before = lookups;
    expect(await verdictOn(await sign(claims({ padding: 'x'.repeat(20_000) })))).toBe('INVALID_TOKEN');
    expect(await verdictOn(raw({ alg: 'RS256', typ: 'at+jwt', kid: 'k'.repeat(1_000_000) }, claims(), 'x'))).toBe('INVALID_TOKEN');
    expect(lookups).toBe(before);
  });

  test('when it is encrypted or compressed (JWE), then it is refused', async () => {
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const jwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(claims())))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', typ: 'at+jwt', kid: 'k1' })
      .encrypt(secret);
    expect(await verdictOn(jwe)).toBe('INVALID_TOKEN');
    expect(
      await verdictOn(`${base64url.encode(JSON.stringify({ alg: 'RS256', enc: 'A256GCM', zip: 'DEF', typ: 'at+jwt' }))}.a.b.c.d`),
    ).toBe('INVALID_TOKEN');
  });

  test('when its header has critical extensions, or its payload is not encoded, then it is refused', async () => {
    expect(
      await verdictOn(raw({ alg: 'RS256', typ: 'at+jwt', kid: 'k1', crit: ['exp'], exp: 1 }, claims(), (await sign()).split('.')[2])),
    ).toBe('INVALID_TOKEN');
    expect(await verdictOn(await sign(claims(), { b64: false, crit: ['b64'] }).catch(() => 'x.y.z'))).toBe('INVALID_TOKEN');
  });

  test.each(['', '.', '..', 'a.b.c', 'Bearer x', '\0', 'null', '{}', 'eyJhbGciOiJSUzI1NiJ9', 'eyJhbGciOiJSUzI1NiJ9..', 'ü.ü.ü'])(
    'when it is %j, then it is refused',
    async (token) => expect(await verdictOn(token)).toBe('INVALID_TOKEN'),
  );

  test('when its signature is that of a good token and its claims are others, then it is refused', async () => {
    const [header, , signature] = (await sign()).split('.');
    expect(await verdictOn(`${header}.${base64url.encode(JSON.stringify(claims({ sub: 'admin' })))}.${signature}`)).toBe('INVALID_TOKEN');
  });
});
