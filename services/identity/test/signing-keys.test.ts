import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAccessTokenVerifier, createKeySource } from '@accessops/authn';
import { connect } from '@accessops/grpc';
import { IdentityService } from '@accessops/proto/accessops/identity/v1/identity_pb';
import { infrastructure, until } from '@accessops/testing';
import { decodeProtectedHeader, type JSONWebKeySet, SignJWT } from 'jose';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { rotateSigningKey } from '../src/local/rotate-signing-key.ts';
import { anonymously, codeOf, type Harness, logIn, newTenant, password, startHarness, type TestTenant } from './harness.ts';

let harness: Harness;
let acme: TestTenant;
let pool: pg.Pool;
beforeAll(async () => {
  harness = await startHarness();
  acme = await newTenant(harness);
  pool = new pg.Pool({ connectionString: harness.database.appUrl('identity') });
});
afterEach(() => {
  harness.clock.skipMs = 0;
});
afterAll(async () => {
  await pool.end();
  await harness.close();
});

const now = () => new Date(Date.now() + harness.clock.skipMs);
const sealKey = () => Buffer.from(readFileSync(harness.environment.IDENTITY_KEY_FILE ?? '', 'utf8').trim(), 'base64');
const jwks = async (): Promise<JSONWebKeySet> => JSON.parse((await harness.client.getJwks({}, await anonymously())).jwksJson);
const kids = async () => (await jwks()).keys.map(({ kid }) => kid);
const kidOf = ({ accessToken }: { accessToken: string }) => decodeProtectedHeader(accessToken).kid;
const verifier = () =>
  createAccessTokenVerifier({ issuer: 'http://accessops.test', keys: createKeySource({ fetchJwks: jwks, now: () => now().getTime() }) });

const minute = 60_000;
const day = 24 * 60 * minute;

test('when keys are shown, then nothing private is among them, and at rest it is sealed', async () => {
  for (const key of (await jwks()).keys) {
    expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    expect(key).toMatchObject({ alg: 'RS256', use: 'sig', kty: 'RSA' });
  }
  const { rows } = await harness.admin.query('select private_key from signing_key where retired_at is null');
  expect(rows).toHaveLength(1);
  expect(rows[0].private_key.toString('latin1')).not.toContain('PRIVATE KEY');
});

test('when the key is not due, then it stays', async () => {
  harness.clock.skipMs = 29 * day;
  expect(await rotateSigningKey({ pool, sealKey: sealKey(), now: now() })).toBe(false);
});

test('when a key is replaced while instances run, then each signs with the new one soon, and old tokens stay good until they expire', async () => {
  const verify = verifier();
  const other = await harness.startAnother();
  const otherClient = connect(IdentityService, other.address);
  const before = await logIn(harness, acme.admin.email);
  const [oldKid] = await kids();
  expect(await rotateSigningKey({ pool, sealKey: sealKey(), now: now(), force: true })).toBe(true);
  const [newKid, ...rest] = await kids();
  expect(newKid).not.toBe(oldKid);
  expect(rest).toContain(oldKid);
  // The half that signs is gone; what runs may use the copy it has for some seconds.
  expect((await harness.admin.query('select private_key from signing_key where kid = $1', [oldKid])).rows[0].private_key).toBeNull();

  harness.clock.skipMs = 31_000;
  const login = async () => otherClient.login({ email: acme.admin.email, password }, await anonymously());
  for (const session of [await logIn(harness, acme.admin.email), await login()]) {
    expect(kidOf(session)).toBe(newKid);
    expect((await verify(session.accessToken)).sub).toBe(acme.admin.id);
  }
  expect((await verify(before.accessToken)).sid).toBe(before.sessionId);
  otherClient.close();

  harness.clock.skipMs = 32 * minute;
  expect(await kids()).not.toContain(oldKid);
});

test('when four instances rotate a key that is due at the same moment, then one new key is made', async () => {
  const fresh = await startHarness();
  const keys = new pg.Pool({ connectionString: fresh.database.appUrl('identity') });
  const later = new Date(Date.now() + 31 * day);
  const rotated = await Promise.all(Array.from({ length: 4 }, () => rotateSigningKey({ pool: keys, sealKey: sealKey(), now: later })));
  expect(rotated.filter(Boolean)).toHaveLength(1);
  expect((await fresh.admin.query('select retired_at from signing_key order by created_at')).rows).toMatchObject([
    { retired_at: later },
    { retired_at: null },
  ]);
  await keys.end();
  await fresh.close();
});

test('when three instances start without a key, then one is made; a month later the next start replaces it and forgets old sessions', async () => {
  const fresh = await startHarness();
  const tenant = await newTenant(fresh);
  await logIn(fresh, tenant.admin.email);
  const count = async (sql: string) => (await fresh.admin.query(sql)).rowCount;
  await fresh.admin.query('delete from signing_key');
  await Promise.all(Array.from({ length: 3 }, () => fresh.startAnother()));
  expect(await count('select 1 from signing_key')).toBe(1);

  fresh.clock.skipMs = 38 * day;
  await fresh.startAnother();
  // A process starts whether its first round of upkeep has succeeded or not.
  await until(async () => (await count('select 1 from session')) === 0, { what: 'old sessions that are forgotten' });
  expect(await count('select 1 from signing_key where retired_at is null')).toBe(1);
  expect(await count('select 1 from signing_key')).toBe(2);
  expect(await count('select 1 from refresh_token')).toBe(0);
  await fresh.close();
});

test('when an instance has another sealing key, then it signs nothing and starts no session', async () => {
  const file = join(infrastructure().directory, 'another-identity-key');
  writeFileSync(file, randomBytes(32).toString('base64'));
  const other = await harness.startAnother({ IDENTITY_KEY_FILE: file });
  const client = connect(IdentityService, other.address);
  const sessions = async () => (await harness.admin.query('select count(*) from session')).rows;
  const before = await sessions();
  expect(await codeOf(client.login({ email: acme.admin.email, password }, await anonymously()))).toBe('INTERNAL_ERROR');
  expect(await sessions()).toEqual(before);
  client.close();
});

test.each([
  ['its payload is changed', (token: string) => token.replace(/\.(.)/, (_, first) => `.${first === 'e' ? 'f' : 'e'}`)],
  ['its signature is changed', (token: string) => `${token.slice(0, -10)}${'A'.repeat(10)}`],
  ['its signature is gone', (token: string) => token.slice(0, token.lastIndexOf('.') + 1)],
  [
    'it names no algorithm',
    (token: string) => `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${token.split('.')[1]}.`,
  ],
])('when a token is tampered with so that %s, then it is INVALID_TOKEN', async (_, tamper) => {
  const { accessToken } = await logIn(harness, acme.admin.email);
  const verify = verifier();
  expect(await codeOf(verify(accessToken))).toBe('ok');
  expect(await codeOf(verify(tamper(accessToken)))).toBe('INVALID_TOKEN');
});

test('when a token is signed by HMAC with the public key, then it is INVALID_TOKEN', async () => {
  const { claims } = await logIn(harness, acme.admin.email);
  const [key] = (await jwks()).keys;
  const forged = await new SignJWT({ ...claims, realm_access: { roles: ['platform-admin'] } })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: key?.kid })
    .sign(Buffer.from(JSON.stringify(key)));
  expect(await codeOf(verifier()(forged))).toBe('INVALID_TOKEN');
});

test('when 15 minutes have passed, then the token is INVALID_TOKEN', async () => {
  harness.clock.skipMs = -16 * minute;
  const { accessToken } = await logIn(harness, acme.admin.email);
  harness.clock.skipMs = 0;
  expect(await codeOf(verifier()(accessToken))).toBe('INVALID_TOKEN');
});
