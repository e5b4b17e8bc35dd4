import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
