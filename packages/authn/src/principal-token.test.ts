import type { AppError } from '@accessops/errors';
import { base64url, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { anonymous, type Principal, processPrincipal } from './principal.ts';
import { createMinter, createPrincipalVerifier, type VerifyPrincipal } from './principal-token.ts';

const newKey = async (kid: string): Promise<JWK> => ({
  ...(await exportJWK((await generateKeyPair('EdDSA', { extractable: true })).privateKey)),
  kid,
});
const publicHalf = ({ d: _, ...rest }: JWK): JWK => rest;

let gateway: JWK;
let approvals: JWK;
let verify: VerifyPrincipal;
beforeAll(async () => {
  [gateway, approvals] = await Promise.all([newKey('gateway'), newKey('approvals')]);
  verify = createPrincipalVerifier({ keys: [publicHalf(gateway), publicHalf(approvals)] });
});
afterEach(() => void vi.useRealTimers());

const alice: Principal = {
  ...anonymous,
  type: 'user',
  id: 'u-1',
  email: 'alice@acme.test',
  tenantId: 't-1',
  tenantSlug: 'acme',
  audience: 'org-admin',
  orgRoles: ['admin', 'approver'],
  teams: [{ id: 'team-1', role: 'lead' }],
  mfaLevel: 2,
  mfaEnrolled: true,
  mfaRequired: false,
  sessionId: 's-1',
};
const mint = async (key: JWK, principal: Principal) => (await createMinter(key)).mint(principal);
/** What becomes of a token: `accepted`, or the code it is refused with. */
const verdictOn = (token: string) =>
  verify(token).then(
    () => 'accepted',
    (error: AppError) => error.code,
  );
/** A token like the minter's, with whatever is changed, signed by `key`. */
const forge = async (
  key: JWK,
  changed: { header?: object; issuer?: string; audience?: string; expiresIn?: string; principal?: unknown } = {},
) => {
  const { header, issuer = key.kid, audience = 'accessops-services', expiresIn = '60s', principal = alice } = changed;
  return new SignJWT({ principal })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: 'principal+jwt', ...header })
    .setIssuer(issuer ?? '')
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(await importJWK(key, 'EdDSA'));
};

describe('vouching', () => {
  test('when the gateway vouches for somebody, then the services know who it is', async () => {
    expect(await verify(await mint(gateway, alice))).toEqual(alice);
    expect(await verify(await mint(gateway, anonymous))).toEqual(anonymous);
    const itself = processPrincipal('gateway', 'gateway');
    expect(await verify(await mint(gateway, itself))).toEqual(itself);
  });

  test('when a service vouches for itself, then it is known', async () => {
    const itself = processPrincipal('service', 'approvals', 't-1');
    expect(await verify(await mint(approvals, itself))).toEqual(itself);
  });

  test.each<[string, Principal]>([
    ['a person', alice],
    ['somebody anonymous', anonymous],
    ['the gateway', processPrincipal('gateway', 'gateway')],
    ['another service', processPrincipal('service', 'requests')],
    ['a person under its own name', { ...alice, id: 'approvals' }],
  ])('when a service vouches for %s, then the token is refused', async (_, principal) => {
    expect(await verdictOn(await mint(approvals, principal))).toBe('INVALID_TOKEN');
  });

  test('when the gateway vouches for a service, then the token is refused', async () => {
    expect(await verdictOn(await mint(gateway, processPrincipal('service', 'approvals')))).toBe('INVALID_TOKEN');
    expect(await verdictOn(await mint(gateway, processPrincipal('service', 'gateway')))).toBe('INVALID_TOKEN');
  });
});

describe('forgeries', () => {
  test('when the control is signed as the minter does, then it is accepted', async () => {
    expect(await verify(await forge(gateway))).toEqual(alice);
  });

  test('when an unknown key signs under a known name, then the token is refused', async () => {
    expect(await verdictOn(await mint(await newKey('gateway'), alice))).toBe('INVALID_TOKEN');
    expect(await verdictOn(await mint(await newKey('stranger'), alice))).toBe('INVALID_TOKEN');
  });

  test('when a service signs under the name of the gateway, in one place or both, then the token is refused', async () => {
    expect(await verdictOn(await forge(approvals, { issuer: 'gateway' }))).toBe('INVALID_TOKEN');
    expect(await verdictOn(await forge(approvals, { header: { kid: 'gateway' } }))).toBe('INVALID_TOKEN');
    expect(await verdictOn(await forge(approvals, { issuer: 'gateway', header: { kid: 'gateway' } }))).toBe('INVALID_TOKEN');
    expect(await verdictOn(await forge(gateway, { header: { kid: undefined } }))).toBe('INVALID_TOKEN');
  });

  test.each<[string, Parameters<typeof forge>[1]]>([
    ['for somebody else', { audience: 'accessops-app' }],
    ['of another type', { header: { typ: 'JWT' } }],
    ['of no type', { header: { typ: undefined } }],
    ['expired', { expiresIn: '-1s' }],
    ['without a principal', { principal: null }],
    ['for a principal of an unknown kind', { principal: { ...alice, type: 'root' } }],
    ['for a principal with roles that are no list', { principal: { ...alice, orgRoles: 'admin' } }],
    ['for a principal without an id', { principal: { ...alice, id: '' } }],
  ])('when a token is %s, then it is refused', async (_, changed) => {
    expect(await verdictOn(await forge(gateway, changed))).toBe('INVALID_TOKEN');
  });

  test('when nobody has signed, or a secret made of the public key, then the token is refused', async () => {
    const [, payload] = (await mint(gateway, alice)).split('.');
    expect(await verdictOn(`${base64url.encode('{"alg":"none","typ":"principal+jwt","kid":"gateway"}')}.${payload}.`)).toBe(
      'INVALID_TOKEN',
    );
    const secret = base64url.decode(gateway.x as string);
    const hmac = new SignJWT({ principal: alice }).setProtectedHeader({ alg: 'HS256', kid: 'gateway', typ: 'principal+jwt' });
    expect(
      await verdictOn(
        await hmac.setIssuer('gateway').setAudience('accessops-services').setIssuedAt().setExpirationTime('60s').sign(secret),
      ),
    ).toBe('INVALID_TOKEN');
  });

  test('when one byte is changed, then the token is refused', async () => {
    const [header, payload, signature] = (await mint(gateway, alice)).split('.') as [string, string, string];
    const other = base64url.encode(new TextDecoder().decode(base64url.decode(payload)).replace('u-1', 'u-2'));
    expect(await verdictOn(`${header}.${other}.${signature}`)).toBe('INVALID_TOKEN');
    expect(await verdictOn(`${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`)).toBe('INVALID_TOKEN');
  });

  test.each(['', 'x', 'a.b.c', '..'])('when the token is %j, then it is refused', async (token) =>
    expect(await verdictOn(token)).toBe('INVALID_TOKEN'),
  );
});

describe('time', () => {
  test('when a token is used again, then it holds for a minute and not longer', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    const token = await mint(gateway, alice);
    await verify(token);
    vi.setSystemTime(Date.now() + 59_000);
    expect(await verify(token)).toEqual(alice);
    vi.setSystemTime(Date.now() + 2000);
    expect(await verdictOn(token)).toBe('INVALID_TOKEN');
  });
});

test('when the key has no name, then there is no minter', async () => {
  await expect(createMinter({ ...gateway, kid: undefined })).rejects.toThrow('no kid');
});
