import { createHash, randomBytes } from 'node:crypto';

/** What is stored of a refresh token. The token has 256 bits of randomness: a plain hash is as good as a slow one. */
export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** A new refresh token: 32 random bytes in base64url. */
export const newRefreshToken = (): string => randomBytes(32).toString('base64url');

/** Whether a string can be one. */
export const isRefreshToken = (token: string): boolean => /^[\w-]{43}$/.test(token);
