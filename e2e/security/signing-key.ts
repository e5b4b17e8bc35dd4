import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { inject } from 'vitest';
import { open } from '../../services/identity/src/local/seal.ts';

/** The key that the platform signs access tokens with, so that a forged token is wrong in the one thing that a test is about. */
export const platformSigningKey = async (): Promise<{ kid: string; privateKey: KeyObject }> => {
  const { adminUrl, sealKeyFile } = inject('signing');
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ kid: string; private_key: Buffer }>(
      'select kid, private_key from identity.signing_key where retired_at is null',
    );
    const [row] = rows;
    if (!row) throw new Error('The platform has no signing key');
    const sealKey = Buffer.from(readFileSync(sealKeyFile, 'utf8').trim(), 'base64');
    return { kid: row.kid, privateKey: createPrivateKey(open(sealKey, row.private_key, row.kid).toString()) };
  } finally {
    await client.end();
  }
};
