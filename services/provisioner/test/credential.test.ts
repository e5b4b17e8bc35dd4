import { newId } from '@accessops/db';
import { until } from '@accessops/testing';
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { person, type Suite, startSuite } from './suite.ts';

let suite: Suite;
const logged: string[] = [];
beforeAll(async () => {
  const { createLogger } = await import('@accessops/telemetry');
  const { Writable } = await import('node:stream');
  const lines = new Writable({
    write: (chunk, _encoding, done) => {
      logged.push(String(chunk));
      done();
    },
  });
  suite = await startSuite({ overrides: { log: createLogger('provisioner', 'trace', lines) } });
});
afterAll(() => suite.close());

const activeGrant = async (settings = {}) => {
  const requestId = await suite.approve(settings);
  return { requestId, ...(await suite.grantIs(requestId, ['ACTIVE'])) };
};

const codeOf = (result: PromiseSettledResult<unknown>) => (result.status === 'rejected' ? result.reason.code : 'ok');

/** Everything that the database holds, as text; what `pg_dump` would write, and the hidden rows. */
const dump = async (): Promise<string> => {
  const { rows: tables } = await suite.sql.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'provisioner'`,
  );
  expect(tables.length).toBeGreaterThan(8);
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const { rows } = await suite.sql.query<{ line: string }>(`select ${name.split('.')[1]}::text as line from ${name}`);
      return rows.map(({ line }) => line).join('\n');
    }),
  );
  return texts.join('\n');
};

const spellings = (secret: string) => [secret, Buffer.from(secret).toString('base64').slice(0, -4), Buffer.from(secret).toString('hex')];

test('when the holder reads the credential, then it is handed over once', async () => {
  const grant = await activeGrant();
  const holder = await suite.as(suite.requester, { 'idempotency-key': 'POST%20%2Fx%20k', 'idempotency-fingerprint': 'f' });
  const { credentialJson } = await holder.readCredential({ grantId: grant.id });
  expect(JSON.parse(credentialJson)).toEqual({ username: expect.any(String), password: expect.stringMatching(/^[\w-]{32}$/) });
  await expect(holder.readCredential({ grantId: grant.id })).rejects.toMatchObject({ code: 'CREDENTIAL_ALREADY_READ' });
  expect(await suite.actions(grant.requestId)).toContain('CREDENTIAL_READ');
});

test('when a public key is given, then the answer is for its owner alone, and a key that is none costs nothing', async () => {
  const grant = await activeGrant();
  const holder = await suite.as(suite.requester);
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES+A256KW');
  const read = async (jwk: unknown) => holder.readCredential({ grantId: grant.id, publicKeyJson: JSON.stringify(jwk) });
  const { n } = await exportJWK((await generateKeyPair('RSA-OAEP-256')).publicKey);
  const none: [jwk: object, pointer: string][] = [
    [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, '/publicKey'],
    [{ kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) }, '/publicKey'],
    [{ kty: 'RSA', n, e: 'AA' }, '/publicKey/e'],
    [{ kty: 'RSA', n, e: 'AQ' }, '/publicKey/e'],
  ];
  for (const [jwk, pointer] of none) await expect(read(jwk)).rejects.toMatchObject({ code: 'INVALID_FIELDS', fields: [{ pointer }] });
  const { jwe, credentialJson } = await read(await exportJWK(publicKey));
  expect(credentialJson).toBe('');
  const { plaintext } = await compactDecrypt(jwe, privateKey);
  expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({ username: expect.any(String), password: expect.any(String) });
  await expect(read(await exportJWK(publicKey))).rejects.toMatchObject({ code: 'CREDENTIAL_ALREADY_READ' });
});

test('when it is read many times at once, then one gets it', async () => {
  const grant = await activeGrant();
  const holder = await suite.as(suite.requester);
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => holder.readCredential({ grantId: grant.id })));
  expect(results.map(codeOf).sort()).toEqual([...Array(7).fill('CREDENTIAL_ALREADY_READ'), 'ok']);
  const actions = await suite.actions(grant.requestId);
  expect(actions.filter((action) => action === 'CREDENTIAL_READ')).toHaveLength(1);
});

test('when somebody else asks, then an admin too is refused, and another tenant does not find it', async () => {
  const grant = await activeGrant();
  const refused = expect.objectContaining({ code: 'PERMISSION_DENIED' });
  for (const other of [suite.admin, person(suite.tenantId, 'requester')]) {
    await expect((await suite.as(other)).readCredential({ grantId: grant.id })).rejects.toEqual(refused);
  }
  const stranger = await suite.as(person(newId(), 'admin'));
  await expect(stranger.readCredential({ grantId: grant.id })).rejects.toMatchObject({ code: 'GRANT_NOT_FOUND' });
  await expect(stranger.readCredential({ grantId: 'x' })).rejects.toMatchObject({ code: 'GRANT_NOT_FOUND' });
  expect(await (await suite.as(suite.requester)).readCredential({ grantId: grant.id })).toBeTruthy();
});

test('when the access has ended, then nobody gets the credential and nothing of it is left', async () => {
  const grant = await activeGrant();
  const holder = await suite.as(suite.requester);
  await holder.revokeGrant({ id: grant.id });
  await expect(holder.readCredential({ grantId: grant.id })).rejects.toMatchObject({ code: 'GRANT_NOT_ACTIVE' });
  const { rows } = await suite.sql.query('select key_id, data_key, iv, ciphertext, tag from credential where grant_id = $1', [grant.id]);
  expect(Object.values(rows[0])).toEqual([null, null, null, null, null]);
});

test('when a credential was read, then neither the database nor the logs have ever held it', async () => {
  const [kept, read, failed] = await Promise.all([activeGrant(), activeGrant(), activeGrant({ config: { failFirst: 1 } })]);
  const before = await dump();
  const holder = await suite.as(suite.requester);
  const texts = [];
  for (const { id } of [read, failed, kept]) texts.push((await holder.readCredential({ grantId: id })).credentialJson);
  const all = before + (await dump());
  await until(() => logged.some((line) => line.includes('attempt failed')));
  for (const text of texts) {
    const { password } = JSON.parse(text) as { password: string };
    for (const spelling of spellings(password)) {
      expect(all).not.toContain(spelling);
      expect(logged.join('')).not.toContain(spelling);
    }
  }
});

test('when a sealed credential is moved to another grant, then it does not open and stays unread', async () => {
  const [one, other] = await Promise.all([activeGrant(), activeGrant()]);
  await suite.sql.query(
    `update credential c set data_key = o.data_key, iv = o.iv, ciphertext = o.ciphertext, tag = o.tag
     from credential o where c.grant_id = $1 and o.grant_id = $2`,
    [one.id, other.id],
  );
  const holder = await suite.as(suite.requester);
  await expect(holder.readCredential({ grantId: one.id })).rejects.toMatchObject({ code: 'INTERNAL_ERROR' });
  const { rows } = await suite.sql.query('select read_at from credential where grant_id = $1', [one.id]);
  expect(rows[0].read_at).toBeNull();
});
