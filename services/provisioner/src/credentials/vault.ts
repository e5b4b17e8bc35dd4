import { randomBytes } from 'node:crypto';
import { decrypt, type Encrypted, encrypt } from './aes-gcm.ts';
import type { KeyWrapper, Wrapped } from './key-wrapper.ts';

/** A credential as it lies in the database: AES-256-GCM under a data key of its own, which is wrapped under a named key. */
export interface Sealed extends Wrapped, Encrypted {}

/** It may have to ask for keys over the network: never within a transaction. */
export interface Vault {
  /** Seals text for one `place` (the grant it belongs to): it does not open anywhere else. */
  seal(text: string, place: string): Promise<Sealed>;
  /** Wraps the data key of something sealed under the current key; throws like `open`. */
  rewrap(wrapped: Wrapped, place: string): Promise<Wrapped>;
  /** Ids of the keys that only open what was sealed before. */
  formerKeyIds: readonly string[];
  /** Opens it again; throws when it was changed, moved, or its key is not there any more. Errors: DEPENDENCY_UNAVAILABLE. */
  open(sealed: Sealed, place: string): Promise<string>;
}

/** Envelope encryption for credentials: a fresh data key each, wrapped under the current key. */
export const createVault = (keys: KeyWrapper): Vault => ({
  formerKeyIds: keys.formerKeyIds,
  seal: async (text, place) => {
    const dataKey = randomBytes(32);
    const encrypted = encrypt(dataKey, Buffer.from(text, 'utf8'), place);
    const wrapped = await keys.wrap(dataKey, place).finally(() => dataKey.fill(0));
    return { ...wrapped, ...encrypted };
  },
  open: async (sealed, place) => decrypt(await keys.unwrap(sealed, place), sealed, place).toString('utf8'),
  rewrap: async (wrapped, place) => keys.wrap(await keys.unwrap(wrapped, place), place),
});
