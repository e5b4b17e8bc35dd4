import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** An API key as it is looked up and compared; the key itself is nowhere kept. */
export interface PresentedApiKey {
  /** UUID. */
  keyId: string;
  /** SHA-256 of the key. With 256 random bits in it, a plain hash is as good as a slow one. */
  hash: Buffer;
}

/** What every API key begins with, so that scanners for secrets find it. */
const prefix = 'aok_';

const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();

const checksumOf = (text: string): string => crc32(text).toString(16).padStart(8, '0');

/** What the keys of one id begin with. */
export const apiKeyPrefix = (keyId: string): string => prefix + Buffer.from(keyId.replaceAll('-', ''), 'hex').toString('base64url');

/** A new key: `aok_`, 22 characters of id, 43 of randomness (32 bytes), and a CRC-32 in hex that tells a typing error from a wrong key. */
export const newApiKey = (keyId: string): { key: string; hash: Buffer } => {
  const text = apiKeyPrefix(keyId) + randomBytes(32).toString('base64url');
  const key = text + checksumOf(text);
  return { key, hash: hashOf(key) };
};

const shape = /^(aok_([\w-]{22})[\w-]{43})([0-9a-f]{8})$/;

/** Whether a bearer token means to be an API key. */
export const looksLikeApiKey = (token: string): boolean => token.startsWith(prefix);

/** What an API key says about itself; undefined for what cannot be one. */
export const parseApiKey = (token: string): PresentedApiKey | undefined => {
  const [, text = '', id = '', checksum] = shape.exec(token) ?? [];
  if (!id || checksumOf(text) !== checksum) return undefined;
  const hex = Buffer.from(id, 'base64url').toString('hex');
  return { keyId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'), hash: hashOf(token) };
};
