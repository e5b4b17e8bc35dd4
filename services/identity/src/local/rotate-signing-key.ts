import { calculateJwkThumbprint, exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import type { Pool } from 'pg';
import { signingKeyMs } from './lifetimes.ts';
import { seal } from './seal.ts';

export interface RotationOptions {
  pool: Pool;
  /** Seals private keys at rest. */
  sealKey: Buffer;
  now: Date;
  /** Rotate although the current key is not due. */
  force?: boolean;
}

const newestSql = 'select kid, created_at from signing_key where retired_at is null order by created_at desc, kid limit 1';

interface Newest {
  kid: string;
  created_at: string;
}

/**
 * Makes a new RS256 signing key when there is none, when the current one is 30 days old, or by force; answers whether it did.
 * The old one loses its private half at once and stays in the JWKS until its tokens have expired. Of several instances that
 * rotate at the same moment one does.
 */
export const rotateSigningKey = async ({ pool, sealKey, now, force = false }: RotationOptions): Promise<boolean> => {
  const isDue = (key: Newest | undefined) => !key || now.getTime() - new Date(key.created_at).getTime() >= signingKeyMs;
  const before = (await pool.query<Newest>(newestSql)).rows[0];
  if (!force && !isDue(before)) return false;

  const { publicKey, privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const sealed = seal(sealKey, Buffer.from(await exportPKCS8(privateKey)), kid);

  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('rotate-signing-key'))`);
    const current = (await client.query<Newest>(newestSql)).rows[0];
    const mine = current?.kid === before?.kid;
    if (mine) {
      await client.query('update signing_key set retired_at = $1, private_key = null where retired_at is null', [now]);
      await client.query('insert into signing_key (kid, public_jwk, private_key, created_at) values ($1, $2, $3, $4)', [
        kid,
        { ...publicJwk, kid, use: 'sig', alg: 'RS256' },
        sealed,
        now,
      ]);
    }
    await client.query('commit');
    return mine;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
};
