import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { base64url, CompactEncrypt, decodeJwt, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, codeOf, type Person, pool, Tenant } from '../client.ts';
import { platformSigningKey } from './signing-key.ts';

type Fields = Record<string, unknown>;

let tenant: Tenant;
let person: Person;
let kid: string;
let privateKey: KeyObject;
let claims: Fields;
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });

beforeAll(async () => {
  tenant = await Tenant.create('tokens');
  person = await tenant.person('person', ['requester']);
  ({ kid, privateKey } = await platformSigningKey());
  claims = decodeJwt(person.token);
});

const seconds = () => Math.floor(Date.now() / 1000);
const headerOf = (changed: Fields = {}) => ({ alg: 'RS256', kid, typ: 'at+jwt', ...changed });

/** A token of the platform's own key; what is changed is all that is wrong with it. */
const signed = (changed: Fields = {}, header: Fields = {}, key: KeyObject | Uint8Array = privateKey) =>
  new SignJWT({ ...claims, ...changed }).setProtectedHeader(headerOf(header)).sign(key);

/** A token of any header and any signature. */
const written = (header: Fields, signature = '', payload: Fields = claims) =>
  `${base64url.encode(JSON.stringify(header))}.${base64url.encode(JSON.stringify(payload))}.${signature}`;

const shown = (token: string, path = '/me') => call('GET', path, { token });

const expectRefused = async (token: string) => {
  const answer = await shown(token);
  expect([answer.status, codeOf(answer)]).toEqual([401, 'INVALID_TOKEN']);
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
};

test('when a token is signed by the platform’s key and nothing is wrong with it, then it counts', async () => {
  expect((await shown(await signed())).status).toBe(200);
});

describe('signatures', () => {
  test.each(['none', 'None', 'NONE', 'nOnE', ''])('when the algorithm is %j, then 401', async (alg) => {
    for (const signature of ['', person.token.split('.')[2]]) await expectRefused(written(headerOf({ alg }), signature));
  });

  test.each(['HS256', 'HS384', 'HS512'])('when it is signed by %s with the public key as the secret, then 401', async (alg) => {
    const publicKey = createPublicKey(privateKey);
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const secrets = [pem, pem.trim(), JSON.stringify(publicKey.export({ format: 'jwk' })), 'secret'.repeat(12)];
    for (const secret of secrets) await expectRefused(await signed({}, { alg }, Buffer.from(secret)));
  });

  test.each(['RS384', 'RS512', 'PS256', 'PS384', 'PS512'])('when it is signed by %s, with the right key, then 401', async (alg) => {
    await expectRefused(await signed({}, { alg }));
  });

  test.each<[string, Fields]>([
    ['the platform’s key id', {}],
    ['an unknown key id', { kid: 'unknown' }],
    ['a path as key id', { kid: '../../../../dev/null' }],
    ['SQL as key id', { kid: "x' union select 'key" }],
    ['no key id', { kid: undefined }],
    ['the key in its header', { jwk: stranger.publicKey.export({ format: 'jwk' }) }],
    ['an address of keys in its header', { jku: 'http://127.0.0.1:9/jwks', kid: 'theirs' }],
    ['an address of certificates in its header', { x5u: 'http://127.0.0.1:9/cert', kid: 'theirs' }],
  ])('when somebody else has signed it under %s, then 401', async (_, header) => {
    await expectRefused(await signed({}, header, stranger.privateKey));
  });

  test('when any part of a good token is another, then 401', async () => {
    const [head = '', payload = '', signature = ''] = person.token.split('.');
    const forged = base64url.encode(JSON.stringify({ ...claims, aud: ['accessops-admin'], realm_access: { roles: ['platform-admin'] } }));
    const tokens = [
      `${head}.${forged}.${signature}`,
      `${base64url.encode(JSON.stringify(headerOf({ typ: 'JWT' })))}.${payload}.${signature}`,
      `${head}.${payload}.${signature.slice(0, -2)}AA`,
      `${head}.${payload}.`,
      `${head}.${payload}`,
      `${head}..${signature}`,
      `${person.token}.${signature}`,
    ];
    for (const token of tokens) await expectRefused(token);
  });
});

describe('claims', () => {
  test.each(['JWT', 'id+jwt', 'refresh+jwt', 'logout+jwt', 'application/jwt', undefined])('when its type is %s, then 401', async (typ) => {
    await expectRefused(await signed({}, { typ }));
  });

  test.each<[string, () => Fields]>([
    ['another issuer', () => ({ iss: 'https://attacker.test' })],
    ['an issuer that begins alike', () => ({ iss: `${claims.iss}.attacker.test` })],
    ['no issuer', () => ({ iss: undefined })],
    ['no subject', () => ({ sub: undefined })],
    ['no session', () => ({ sid: undefined })],
    ['no audience', () => ({ aud: undefined })],
    ['an audience that is no text', () => ({ aud: { accessops: true } })],
    ['no expiry', () => ({ exp: undefined })],
    ['an expiry that is past', () => ({ exp: seconds() - 1 })],
    ['an expiry with a fraction', () => ({ exp: seconds() + 600.5 })],
    ['a negative expiry', () => ({ exp: -seconds() })],
    ['an expiry of zero', () => ({ exp: 0 })],
    ['an expiry that is a text', () => ({ exp: String(seconds() + 600) })],
    ['an expiry beyond all numbers', () => ({ exp: 1e308 })],
    ['a beginning that is to come', () => ({ nbf: seconds() + 60 })],
    ['a beginning that is a text', () => ({ nbf: 'now' })],
    ['no time of issue', () => ({ iat: undefined })],
    ['a time of issue with a fraction', () => ({ iat: seconds() - 0.5 })],
    ['a negative time of issue', () => ({ iat: -1 })],
    ['organisations that are a list', () => ({ organization: ['acme'] })],
  ])('when it has %s, then 401', async (_, changed) => {
    await expectRefused(await signed(changed()));
  });

  test.each<[string, unknown]>([
    ['another program', 'other-app'],
    ['nobody', []],
    ['the provider itself', 'account'],
    ['a name that contains ours', 'accessops-apps'],
  ])('when it is meant for %s, then 403, in every namespace', async (_, aud) => {
    for (const path of ['/me', '/org/users', '/admin/tenants'])
      expect(codeOf(await shown(await signed({ aud }), path))).toBe('AUDIENCE_NOT_ALLOWED');
  });

  test('when it tells of roles that the person does not have, then they count for nothing', async () => {
    const groups = ['/admin', '/auditor'];
    const token = await signed({
      aud: ['accessops-app', 'accessops-org-admin', 'accessops-admin'],
      organization: { [tenant.slug]: { id: tenant.id, groups } },
      realm_access: { roles: ['platform-admin'] },
      permissions: ['user:list'],
      acr: 'aal2',
    });
    for (const path of ['/requests', '/org/users', '/org/audit', '/admin/tenants', '/admin/audit'])
      expect(codeOf(await shown(token, path))).toBe('PERMISSION_DENIED');
  });

  test('when its session is over, unknown or somebody else’s, then 401', async () => {
    const other = await tenant.person('other', ['requester']);
    const { sid } = decodeJwt(other.token);
    for (const changed of [{ sid: randomUUID() }, { sid }, { sub: other.id }, { sub: randomUUID() }])
      expect((await shown(await signed(changed))).status).toBe(401);
    expect((await call('POST', '/auth/logout', { body: { refreshToken: other.refreshToken } })).status).toBe(204);
    expect((await shown(await signed({ sid, sub: other.id }))).status).toBe(401);
  });

  test('when it names a tenant that the person is not of, then they do not get in there', async () => {
    const foreign = await Tenant.create('tokens');
    const token = await signed({ organization: { [foreign.slug]: { id: foreign.id, groups: ['/admin'] } } });
    expect((await shown(token)).body.tenant).toMatchObject({ id: tenant.id });
    const answer = await call('GET', '/me', { token: person.token, headers: { 'x-tenant': foreign.slug } });
    expect([answer.status, codeOf(answer)]).toEqual([403, 'NOT_A_MEMBER']);
  });
});

describe('form', () => {
  test('when it is encrypted or compressed, then 401', async () => {
    const jwe = (header: Fields) =>
      new CompactEncrypt(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', typ: 'at+jwt', kid, ...header })
        .encrypt(randomBytes(32));
    await expectRefused(await jwe({}));
    await expectRefused(written({ alg: 'RS256', enc: 'A256GCM', zip: 'DEF', typ: 'at+jwt' }, 'a.b.c'));
    await expectRefused(written(headerOf({ zip: 'DEF' }), person.token.split('.')[2]));
  });

  test('when it is large, then 401, and when it is larger than all headers may be, then 431', async () => {
    await expectRefused(written(headerOf({ kid: 'k'.repeat(6000) }), 'x'));
    expect((await shown(await signed({ padding: 'x'.repeat(20_000) }))).status).toBe(431);
  });

  test('when its header has critical extensions, then 401', async () => {
    await expectRefused(written(headerOf({ crit: ['exp'], exp: 1 }), person.token.split('.')[2]));
    await expectRefused(written(headerOf({ crit: ['b64'], b64: false }), person.token.split('.')[2]));
  });

  test.each(['rubbish', '.', '..', 'a.b.c', 'null', '{}', 'eyJhbGciOiJSUzI1NiJ9', 'eyJhbGciOiJSUzI1NiJ9..', 'a b'])(
    'when it is %j, then 401',
    async (token) => await expectRefused(token),
  );

  test.each<[string, Record<string, string>]>([
    ['missing', {}],
    ['of another scheme', { authorization: 'Basic dXNlcjpwYXNz' }],
    ['empty', { authorization: 'Bearer' }],
    ['in a header of its own', { 'x-access-token': 'x' }],
  ])('when it is %s, then 401', async (_, headers) => {
    const answer = await call('GET', '/me', { headers });
    expect([answer.status, codeOf(answer)]).toEqual([401, 'INVALID_TOKEN']);
  });

  test('when it stands in the query, or is a refresh token, then 401', async () => {
    expect((await call('GET', `/me?access_token=${person.token}`)).status).toBe(401);
    await expectRefused(person.refreshToken);
    expect(codeOf(await call('POST', '/auth/refresh', { body: { refreshToken: person.token } }))).toBe('INVALID_REFRESH_TOKEN');
  });
});

test('when a thousand tokens of unknown keys come, then each is refused, and good ones are answered all the while', async () => {
  const flood = await Promise.all(Array.from({ length: 1000 }, (_, index) => signed({}, { kid: `unknown-${index}` }, stranger.privateKey)));
  const statuses = await pool(flood, 16, async (token, index) => {
    const [refused, answered] = await Promise.all([shown(token), index % 50 === 0 ? shown(person.token) : undefined]);
    return [refused.status, answered?.status ?? 200].join();
  });
  expect(new Set(statuses)).toEqual(new Set(['401,200']));
});
