import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLocalKeys } from '../src/credentials/local-keys.ts';
import { createVault } from '../src/credentials/vault.ts';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite;
const folder = mkdtempSync(join(tmpdir(), 'accessops-keys-'));
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(async () => {
  await suite.close();
  rmSync(folder, { recursive: true });
});

const keyFile = (name: string, content: { current: string; keys: Record<string, string> }): { CREDENTIAL_KEY_FILE: string } => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return { CREDENTIAL_KEY_FILE: path };
};

test('when another key becomes the current one, then unread credentials move to it without a pause, and open when the former one is gone', async () => {
  const activeGrant = async () => suite.grantIs(await suite.approve(), ['ACTIVE']);
  const before = [await activeGrant(), await activeGrant()];
  const former = JSON.parse(readFileSync(String(suite.environment.CREDENTIAL_KEY_FILE), 'utf8')) as { keys: Record<string, string> };
  const keys = { next: randomBytes(32).toString('base64') };

  await suite.start({ rewrapMs: 50 }, keyFile('both.json', { current: 'next', keys: { ...former.keys, ...keys } }));
  const under = async () => (await suite.sql.query<{ key_id: string }>('select key_id from credential')).rows.map(({ key_id }) => key_id);
  await until(async () => (await under()).every((id) => id === 'next'));
  // By either of the two instances.
  const meanwhile = await Promise.all(Array.from({ length: 4 }, activeGrant));
  await until(async () => (await under()).every((id) => id === 'next'));

  await suite.stopAll();
  await suite.start({}, keyFile('next.json', { current: 'next', keys }));
  const holder = await suite.as(suite.requester);
  for (const { id } of [...before, ...meanwhile]) {
    const { credentialJson } = await holder.readCredential({ grantId: id });
    expect(JSON.parse(credentialJson)).toMatchObject({ password: expect.any(String) });
  }
});

test('when a target has answered under the former key, then its answer moves to the current one, and opens there', async () => {
  const requestId = await suite.approve();
  await suite.grantIs(requestId, ['ACTIVE']);
  const id = (await suite.job(requestId))?.id ?? '';
  const former = randomBytes(32);
  const next = randomBytes(32);
  const sealed = await createVault(createLocalKeys({ current: 'former', keys: { former } })).seal('told', id);
  const { keyId, dataKey, iv, ciphertext, tag } = sealed;
  await suite.sql.query(
    `insert into job_answer (job_id, tenant_id, fence, key_id, data_key, iv, ciphertext, tag) values ($1, $2, 1, $3, $4, $5, $6, $7)`,
    [id, suite.tenantId, keyId, dataKey, iv, ciphertext, tag],
  );
  const keys = { former: former.toString('base64'), turned: next.toString('base64') };
  await suite.start({ rewrapMs: 50 }, keyFile('turned.json', { current: 'turned', keys }));
  const row = await until(
    async () => (await suite.sql.query(`select data_key from job_answer where job_id = $1 and key_id = 'turned'`, [id])).rows[0],
  );
  const vault = createVault(createLocalKeys({ current: 'turned', keys: { turned: next } }));
  expect(await vault.open({ ...sealed, keyId: 'turned', dataKey: row.data_key }, id)).toBe('told');
  await suite.sql.query('delete from job_answer where job_id = $1', [id]);
});
