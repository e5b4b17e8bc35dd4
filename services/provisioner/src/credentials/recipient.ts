import { AppError, type FieldViolation, pointerTo } from '@accessops/errors';
import { CompactEncrypt, importJWK } from 'jose';
import { z } from 'zod';

/** Somebody whom a credential is encrypted to. */
export interface Recipient {
  /** A compact JWE (RFC 7516) of the text: A256GCM, its key wrapped for the recipient. */
  encrypt(text: string): Promise<string>;
}

const coordinate = z.base64url().max(88);
const common = { kid: z.string().max(200).optional(), use: z.literal('enc').optional() };
const agreement = { ...common, alg: z.literal('ECDH-ES+A256KW').default('ECDH-ES+A256KW') };

const publicKey = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: z.enum(['P-256', 'P-384', 'P-521']), x: coordinate, y: coordinate, ...agreement }),
  z.object({ kty: z.literal('OKP'), crv: z.literal('X25519'), x: coordinate, ...agreement }),
  z.object({
    kty: z.literal('RSA'),
    // Of 8192 bits at most: who asks decides how long encrypting takes.
    n: z.base64url().max(1366),
    e: z.base64url().max(8),
    ...common,
    alg: z.literal('RSA-OAEP-256').default('RSA-OAEP-256'),
  }),
]);

const shortestRsa = 2048;
// With a smaller one, or an even one, what is encrypted can be read by others, or by nobody (FIPS 186-5, appendix A.1.1).
const smallestExponent = 0x10001n;

const numberOf = (base64url: string): bigint => BigInt(`0x0${Buffer.from(base64url, 'base64url').toString('hex')}`);
const isOdd = (value: bigint): boolean => value % 2n === 1n;

const invalid = (fields: FieldViolation[]) => new AppError('INVALID_FIELDS', undefined, { fields });
const invalidKey = (message: string) => invalid([{ pointer: '/publicKey', message }]);

/** What the library does not look at: it would encrypt to numbers that are no key at all. */
const requireRsa = (n: bigint, e: bigint): void => {
  if (n.toString(2).length < shortestRsa) throw invalidKey(`must have ${shortestRsa} bits or more`);
  if (!isOdd(n)) throw invalid([{ pointer: '/publicKey/n', message: 'is no modulus of RSA' }]);
  if (e < smallestExponent || !isOdd(e)) throw invalid([{ pointer: '/publicKey/e', message: 'must be odd, and 65537 or more' }]);
};

const parse = (jwk: Record<string, unknown>) => {
  if ('d' in jwk || 'k' in jwk) throw invalidKey('must be a public key; this one is secret, and now known to others');
  const { success, data, error } = publicKey.safeParse(jwk);
  if (success) return data;
  throw invalid(error.issues.map(({ path, message }) => ({ pointer: pointerTo(['publicKey', ...path]), message })));
};

/**
 * The recipient with this public key (JWK, RFC 7517): EC and X25519 keys by ECDH-ES+A256KW, RSA keys by RSA-OAEP-256 (RFC 7518).
 * Errors, also of `encrypt`: INVALID_FIELDS at /publicKey and below.
 */
export const recipientOf = async (jwk: Record<string, unknown>): Promise<Recipient> => {
  const { alg, kid, ...parsed } = parse(jwk);
  if (parsed.kty === 'RSA') requireRsa(numberOf(parsed.n), numberOf(parsed.e));
  const unusable = (): never => {
    throw invalidKey('is no key of its kind');
  };
  const key = await importJWK(parsed, alg).catch(unusable);
  const header = { alg, enc: 'A256GCM', cty: 'json', ...(kid !== undefined && { kid }) };
  return {
    // Points of low order are found out only here (RFC 7748, section 6.1).
    encrypt: (text) => new CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader(header).encrypt(key).catch(unusable),
  };
};
