import { createHmac, timingSafeEqual } from 'node:crypto';
import { AppError } from '@accessops/errors';

/** Makes positions in lists into opaque cursors, and back. */
export interface Cursors {
  /** A cursor that only opens for the same `scope`: the list, the tenant and the user it was given to. */
  seal(scope: string, position: string): string;
  /** The position in a cursor. Errors: INVALID_CURSOR for any that was not given out under this scope. */
  open(scope: string, cursor: string): string;
}

const macLength = 16;
const maxLength = 8192;

/** Cursors authenticated by HMAC-SHA256 (its first 16 bytes, RFC 2104 section 5) under a key of 32 bytes. */
export const createCursors = (key: Uint8Array): Cursors => {
  const macOf = (scope: string, position: Buffer): Buffer =>
    createHmac('sha256', key)
      .update(`${Buffer.byteLength(scope)}:${scope}`)
      .update(position)
      .digest()
      .subarray(0, macLength);
  return {
    seal: (scope, position) => {
      const bytes = Buffer.from(position);
      return Buffer.concat([macOf(scope, bytes), bytes]).toString('base64url');
    },
    open: (scope, cursor) => {
      if (cursor.length > maxLength || !/^[A-Za-z0-9_-]+$/.test(cursor)) throw new AppError('INVALID_CURSOR');
      const bytes = Buffer.from(cursor, 'base64url');
      const position = bytes.subarray(macLength);
      // Some strings that base64url cannot produce decode nevertheless: one cursor has one spelling.
      if (bytes.length <= macLength || bytes.toString('base64url') !== cursor) throw new AppError('INVALID_CURSOR');
      if (!timingSafeEqual(bytes.subarray(0, macLength), macOf(scope, position))) throw new AppError('INVALID_CURSOR');
      return position.toString();
    },
  };
};
