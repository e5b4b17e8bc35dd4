import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { untilWithin } from '@accessops/testing';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { call, type Person, pool, Tenant, until } from '../client.ts';
import { admin, administratorToken, adminOfAll, directly } from './keycloak.ts';

/** How often Keycloak has been asked for the realm's keys so far. */
const keyFetches = (): number =>
  readFileSync(join(inject('dataDir'), 'logs', 'keycloak.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('GET /realms/accessops/protocol/openid-connect/certs')).length;

describe('tokens of a real Keycloak', () => {
  let tenant: Tenant;
  let person: Person;

  beforeAll(async () => {
    tenant = await Tenant.create('tok');
    person = await tenant.person('person', ['requester']);
  });

  const statusWith = async (token: unknown) => (await call('GET', '/me', { token: String(token) })).status;
  const kidOf = (token: string) => decodeProtectedHeader(token).kid;

  test('when a thousand tokens with unknown key ids come, then Keycloak is asked for its keys at most twice a minute', async () => {
    expect(await statusWith(person.token)).toBe(200);
    const { privateKey } = await generateKeyPair('RS256');
    const forge = () =>
      new SignJWT(decodeJwt(person.token)).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: randomUUID() }).sign(privateKey);
    const tokens = await Promise.all(Array.from({ length: 1000 }, forge));
    await until('Keycloak has noted that it was asked', async () => keyFetches() > 0);
    const [fetchedBefore, startedAt] = [keyFetches(), performance.now()];
    const answers = await pool(tokens, 20, statusWith);
    const minutes = Math.ceil((performance.now() - startedAt) / 60_000);
    expect(answers.filter((status) => status !== 401)).toEqual([]);
    expect(keyFetches() - fetchedBefore).toBeLessThanOrEqual(2 * minutes);
  });

  test('when Keycloak signs with a new key, then it is accepted within 35 seconds, and what the old one signed goes on', async () => {
    const { id: parentId } = await admin<{ id: string }>('GET', '');
    const config = { priority: ['200'], enabled: ['true'], active: ['true'], algorithm: ['RS256'], keySize: ['2048'] };
    const providerType = 'org.keycloak.keys.KeyProvider';
    await admin('POST', '/components', { name: 'rotated', providerId: 'rsa-generated', providerType, parentId, config });
    const later = await tenant.signIn(person);
    expect(kidOf(later.token)).not.toBe(kidOf(person.token));
    await untilWithin(35_000, 'the new key is accepted', async () => (await statusWith(later.token)) === 200);
    expect(await statusWith(person.token)).toBe(200);
  });

  test('when something else of Keycloak than an access token is shown, or that of a session we did not start, then it is refused', async () => {
    const scope = `openid organization:${tenant.slug}`;
    const tokens = await directly({ username: person.email, password: tenant.password, scope });
    expect(decodeProtectedHeader(String(tokens.access_token)).typ).toBe('at+jwt');
    for (const token of [tokens.id_token, tokens.refresh_token, tokens.access_token]) expect(await statusWith(token)).toBe(401);
  });

  test('when a token of another realm is shown, then it is refused, though the realm has the same client and address', async () => {
    const realm = `other-${randomUUID().slice(0, 8)}`;
    const { url, clientSecret } = inject('keycloak');
    const client = { clientId: 'accessops-app', secret: clientSecret, directAccessGrantsEnabled: true };
    const attributes = { 'access.token.header.type.rfc9068': 'true' };
    const credentials = [{ type: 'password', value: tenant.password, temporary: false }];
    const user = { username: person.email, email: person.email, firstName: 'Una', lastName: 'User', enabled: true, credentials };
    await adminOfAll('POST', '', { realm, enabled: true, clients: [{ ...client, attributes }], users: [user] });
    try {
      const tokens = await directly({ realm, username: person.email, password: tenant.password });
      expect(decodeJwt(String(tokens.access_token))).toMatchObject({ iss: `${url}/realms/${realm}`, email: person.email });
      for (const token of [tokens.access_token, tokens.id_token, await administratorToken()]) expect(await statusWith(token)).toBe(401);
    } finally {
      await adminOfAll('DELETE', `/${realm}`);
    }
  });
});
