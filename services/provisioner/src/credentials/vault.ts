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
  return {
    seal: (text, place) => {
      const dataKey = randomBytes(32);
      const wrapped = encrypt(keyOf(current), dataKey, place);
      const sealed = encrypt(dataKey, Buffer.from(text, 'utf8'), place);
      dataKey.fill(0);
      return { keyId: current, dataKey: Buffer.concat([wrapped.iv, wrapped.tag, wrapped.ciphertext]), ...sealed };
    },
    open: (sealed, place) => {
      const wrapped = {
        iv: sealed.dataKey.subarray(0, ivLength),
        tag: sealed.dataKey.subarray(ivLength, ivLength + tagLength),
        ciphertext: sealed.dataKey.subarray(ivLength + tagLength),
      };
      return decrypt(decrypt(keyOf(sealed.keyId), wrapped, place), sealed, place).toString('utf8');
    },
  };
};
