import { createHmac, randomBytes } from 'node:crypto';

const howMany = 10;
// Crockford's base32: nothing in it is mistaken for something else.
const letters = '0123456789abcdefghjkmnpqrstvwxyz';

const newCode = (): string =>
  [...randomBytes(16)]
    .map((byte) => letters[byte % 32])
    .join('')
    .replaceAll(/(.{4})(?=.)/g, '$1-');

/** Ten new codes of 80 bits each: `q3m0-7v1k-x9ta-2c5d`. */
export const newRecoveryCodes = (): string[] => Array.from({ length: howMany }, newCode);

/** What is stored of a code: keyed, so that the table alone is worth nothing. Case, hyphens and spaces do not matter. */
export const recoveryCodeHash = (key: Buffer, accountId: string, code: string): Buffer =>
  createHmac('sha256', key)
    .update(`recovery:${accountId}:${code.toLowerCase().replaceAll(/[\s-]/g, '')}`)
    .digest();
