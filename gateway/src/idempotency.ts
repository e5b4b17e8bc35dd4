import { createHmac } from 'node:crypto';
import { AppError } from '@accessops/errors';

/** What the owning service needs to answer a repeated call with the first one's reply. */
export interface IdempotencyMetadata {
  key: string;
  fingerprint: string;
}

/** Reads an `Idempotency-Key` header for one call; undefined without one. Errors: INVALID_HEADER. */
export type ReadIdempotencyKey = (
  header: string | undefined,
  method: string,
  path: string,
  body: unknown,
) => IdempotencyMetadata | undefined;

/** JSON whose objects have their keys in order, so that the same body written differently is the same. */
const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(',')}}`;
};

/** A reader that fingerprints bodies under a key: they can hold passwords, which nobody may guess from what is kept. */
export const createIdempotencyReader =
  (key: Uint8Array): ReadIdempotencyKey =>
  (header, method, path, body) => {
    if (header === undefined) return undefined;
    if (!/^[\x20-\x7e]{1,255}$/.test(header))
      throw new AppError('INVALID_HEADER', 'Idempotency-Key must be 1 to 255 printable ASCII characters');
    return {
      key: encodeURIComponent(`${method} ${path} ${header}`),
      fingerprint: createHmac('sha256', key).update(canonical(body)).digest('base64url'),
    };
  };
