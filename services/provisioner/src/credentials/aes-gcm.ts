import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
export const ivLength = 12;
export const tagLength = 16;

/** What came of encrypting. */
export interface Encrypted {
  iv: Buffer;
  ciphertext: Buffer;
  tag: Buffer;
}

/** Encrypts for one `place`: it decrypts nowhere else. */
export const encrypt = (key: Buffer, plain: Buffer, place: string): Encrypted => {
  // 96-bit random IVs as in NIST SP 800-38D; a data key is used once, so they cannot repeat under it.
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv(algorithm, key, iv).setAAD(Buffer.from(place));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  return { iv, ciphertext, tag: cipher.getAuthTag() };
};

/** Throws when anything was changed. */
export const decrypt = (key: Buffer, { iv, ciphertext, tag }: Encrypted, place: string): Buffer => {
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagLength }).setAAD(Buffer.from(place)).setAuthTag(tag);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
};
