import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const idBytes = 16;
const secretBytes = 32;

// 256 bits of randomness: a plain hash is as good as a slow one.
const hashOf = (secret: Buffer): Buffer => createHash('sha256').update(secret).digest();

/** What a mailed link proves: which one it is, and the hash of its secret. */
export interface LinkProof {
  id: string;
  hash: Buffer;
}

/** A new token for the link with this id: the id and 32 random bytes in base64url. Only the hash of the latter is ever stored. */
export const newLinkToken = (id: string): LinkProof & { token: string } => {
  const secret = randomBytes(secretBytes);
  const token = Buffer.concat([Buffer.from(id.replaceAll('-', ''), 'hex'), secret]).toString('base64url');
  return { id, token, hash: hashOf(secret) };
};

/** Reads a token; undefined for what cannot be one. */
export const readLinkToken = (token: string): LinkProof | undefined => {
  if (!/^[\w-]{64}$/.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const id = bytes.toString('hex', 0, idBytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { id, hash: hashOf(bytes.subarray(idBytes)) };
};

const nobodysHash = Buffer.alloc(32);

/** Whether a stored hash is that of the token, in a time that does not tell how much of it is right or whether there is one. */
export const isHashOf = (stored: Uint8Array | undefined, { hash }: LinkProof): boolean =>
  timingSafeEqual(stored ?? nobodysHash, hash) && stored !== undefined;
