import type { Logger } from '@accessops/telemetry';
import { type CryptoKey, importPKCS8, type JSONWebKeySet, type JWK } from 'jose';
import type { Pool } from 'pg';
import { keyReloadMs, retiredKeyMs } from './lifetimes.ts';
import { rotateSigningKey } from './rotate-signing-key.ts';
import { open } from './seal.ts';

/** The key that access tokens are signed with. */
export interface SigningKey {
  kid: string;
  key: CryptoKey;
}

export interface KeyRing {
  /** The current signing key; makes the first one when there is none. */
  current(): Promise<SigningKey>;
  /** All public keys whose tokens may still be valid, those of other instances' rotations included. */
  jwks(): Promise<JSONWebKeySet>;
  /** Replaces a key that is due, and forgets those that nobody needs any more. */
  maintain(): Promise<void>;
}

export interface KeyRingOptions {
  pool: Pool;
  sealKey: Buffer;
  now: () => Date;
  log: Logger;
}

/** Signing keys in the database, shared by all instances. */
export const createKeyRing = ({ pool, sealKey, now, log }: KeyRingOptions): KeyRing => {
  let known: SigningKey | undefined;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<SigningKey> | undefined;

  const read = async (): Promise<SigningKey | undefined> => {
    const { rows } = await pool.query<{ kid: string; private_key: Buffer }>(
      'select kid, private_key from signing_key where retired_at is null order by created_at desc limit 1',
    );
    const [row] = rows;
    if (!row) return undefined;
    if (row.kid === known?.kid) return known;
    return { kid: row.kid, key: await importPKCS8(open(sealKey, row.private_key, row.kid).toString(), 'RS256') };
  };

  const load = async (): Promise<SigningKey> => {
    let key = await read();
    if (!key) {
      await rotateSigningKey({ pool, sealKey, now: now() });
      key = await read();
    }
    if (!key) throw new Error('There is no signing key');
    known = key;
    loadedAt = now().getTime();
    return key;
  };

  return {
    current: async () => {
      if (known && Math.abs(now().getTime() - loadedAt) < keyReloadMs) return known;
      loading ??= load().finally(() => {
        loading = undefined;
      });
      return loading;
    },
    jwks: async () => {
      const { rows } = await pool.query<{ public_jwk: JWK }>(
        'select public_jwk from signing_key where retired_at is null or retired_at > $1 order by created_at desc',
        [new Date(now().getTime() - retiredKeyMs)],
      );
      return { keys: rows.map(({ public_jwk }) => public_jwk) };
    },
    maintain: async () => {
      if (await rotateSigningKey({ pool, sealKey, now: now() })) log.info('a new signing key was made');
      await pool.query('delete from signing_key where retired_at < $1', [new Date(now().getTime() - 24 * 3_600_000)]);
    },
  };
};
