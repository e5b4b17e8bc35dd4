import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Keys that wrap data keys, by id; new ones are wrapped under `current`, old ones stay readable. */
export interface CredentialKeys {
  current: string;
  keys: Record<string, Buffer>;
}

/** A credential as it lies in the database: AES-256-GCM under a data key of its own, which is wrapped under a named key. */
export interface Sealed {
  keyId: string;
  /** IV, tag and ciphertext of the data key. */
  dataKey: Buffer;
  iv: Buffer;
  ciphertext: Buffer;
  tag: Buffer;
}

export interface Vault {
  /** Seals text for one `place` (the grant it belongs to): it does not open anywhere else. */
  seal(text: string, place: string): Sealed;
  /** Wraps the data key of something sealed under the current key; throws like `open`. */
  rewrap(sealed: Pick<Sealed, 'keyId' | 'dataKey'>, place: string): Pick<Sealed, 'keyId' | 'dataKey'>;
  /** Ids of the keys that only open what was sealed before. */
  formerKeyIds: string[];
  /** Opens it again; throws when it was changed, moved, or its key is not there any more. */
  open(sealed: Sealed, place: string): string;
}

const algorithm = 'aes-256-gcm';
const ivLength = 12;
const tagLength = 16;

const encrypt = (key: Buffer, plain: Buffer, place: string) => {
  // 96-bit random IVs as in NIST SP 800-38D; a data key is used once, so they cannot repeat under it.
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv(algorithm, key, iv).setAAD(Buffer.from(place));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { iv, ciphertext, tag: cipher.getAuthTag() };
};

const decrypt = (key: Buffer, { iv, ciphertext, tag }: Pick<Sealed, 'iv' | 'ciphertext' | 'tag'>, place: string): Buffer => {
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagLength }).setAAD(Buffer.from(place)).setAuthTag(tag);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
};

/** Envelope encryption for credentials: a fresh data key each, wrapped under the current key. */
export const createVault = ({ current, keys }: CredentialKeys): Vault => {
  const keyOf = (id: string): Buffer => {
    const key = Object.hasOwn(keys, id) ? keys[id] : undefined;
    if (!key) throw new Error(`The credential key ${id} is not configured`);
    return key;
  };
  const wrap = (dataKey: Buffer, place: string) => {
    const { iv, tag, ciphertext } = encrypt(keyOf(current), dataKey, place);
    return { keyId: current, dataKey: Buffer.concat([iv, tag, ciphertext]) };
  };
  const unwrap = ({ keyId, dataKey }: Pick<Sealed, 'keyId' | 'dataKey'>, place: string): Buffer => {
    const iv = dataKey.subarray(0, ivLength);
    const tag = dataKey.subarray(ivLength, ivLength + tagLength);
    return decrypt(keyOf(keyId), { iv, tag, ciphertext: dataKey.subarray(ivLength + tagLength) }, place);
  };
  return {
    formerKeyIds: Object.keys(keys).filter((id) => id !== current),
    seal: (text, place) => {
      const dataKey = randomBytes(32);
      const sealed = { ...wrap(dataKey, place), ...encrypt(dataKey, Buffer.from(text, 'utf8'), place) };
      dataKey.fill(0);
      return sealed;
    },
    open: (sealed, place) => decrypt(unwrap(sealed, place), sealed, place).toString('utf8'),
    rewrap: (sealed, place) => wrap(unwrap(sealed, place), place),
  };
};
