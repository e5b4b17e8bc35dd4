import { decrypt, encrypt, ivLength, tagLength } from './aes-gcm.ts';
import type { KeyWrapper } from './key-wrapper.ts';

/** Keys that wrap data keys, by id; new ones are wrapped under `current`, old ones stay readable. */
export interface CredentialKeys {
  current: string;
  keys: Record<string, Buffer>;
}

/** Wraps by keys that this process has. */
export const createLocalKeys = ({ current, keys }: CredentialKeys): KeyWrapper => {
  const keyOf = (id: string): Buffer => {
    const key = Object.hasOwn(keys, id) ? keys[id] : undefined;
    if (!key) throw new Error(`The credential key ${id} is not configured`);
    return key;
  };
  return {
    formerKeyIds: Object.keys(keys).filter((id) => id !== current),
    wrap: async (dataKey, place) => {
      const { iv, tag, ciphertext } = encrypt(keyOf(current), dataKey, place);
      return { keyId: current, dataKey: Buffer.concat([iv, tag, ciphertext]) };
    },
    unwrap: async ({ keyId, dataKey }, place) => {
      const iv = dataKey.subarray(0, ivLength);
      const tag = dataKey.subarray(ivLength, ivLength + tagLength);
      return decrypt(keyOf(keyId), { iv, tag, ciphertext: dataKey.subarray(ivLength + tagLength) }, place);
    },
  };
};
