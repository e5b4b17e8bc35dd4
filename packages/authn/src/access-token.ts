import { AppError } from '@accessops/errors';
import { decodeProtectedHeader, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { sessionIdOf } from './session-id.ts';

/** The claims both identity providers put into an access token. */
export const accessTokenClaims = z.object({
  iss: z.string(),
  sub: z.string().min(1),
  sid: z.string().min(1).transform(sessionIdOf),
  aud: z.union([z.string(), z.array(z.string())]).transform((aud) => (typeof aud === 'string' ? [aud] : aud)),
  exp: z.number().int().positive(),
  iat: z.number().int().nonnegative(),
  acr: z.string().optional(),
  amr: z.array(z.string()).optional(),
  email: z.string().optional(),
  /** Slug → tenant id and groups, which name the org roles. */
  organization: z.record(z.string(), z.object({ id: z.string().optional(), groups: z.array(z.string()).optional() })).optional(),
  realm_access: z.object({ roles: z.array(z.string()) }).optional(),
});

export type AccessTokenClaims = z.infer<typeof accessTokenClaims>;

/** Checks an access token of the identity provider; throws INVALID_TOKEN, or DEPENDENCY_UNAVAILABLE without keys. */
export type VerifyAccessToken = (token: string) => Promise<AccessTokenClaims>;

const maxTokenLength = 16_384;

/**
 * A verifier for tokens of one issuer: RS256 and `typ: at+jwt` (RFC 9068) only, so that ID and refresh tokens,
 * `none` and HMAC tokens are refused whatever their header says. Verified tokens are remembered until they expire.
 */
export const createAccessTokenVerifier = ({ issuer, keys }: { issuer: string; keys: JWTVerifyGetKey }): VerifyAccessToken => {
  const known = new LRUCache<string, AccessTokenClaims>({ max: 10_000 });
  return async (token) => {
    const hit = known.get(token);
    if (hit && hit.exp * 1000 > Date.now()) return hit;
    if (token.length > maxTokenLength) throw new AppError('INVALID_TOKEN');
    try {
      // Cheap refusal before any key is looked up: a foreign algorithm must not cause a fetch of keys.
      if (decodeProtectedHeader(token).alg !== 'RS256') throw new AppError('INVALID_TOKEN');
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        algorithms: ['RS256'],
        typ: 'at+jwt',
        requiredClaims: ['exp', 'iat', 'sub', 'aud', 'sid'],
      });
      const claims = accessTokenClaims.parse(payload);
      known.set(token, claims);
      return claims;
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw new AppError('INVALID_TOKEN', undefined, { cause: error });
    }
  };
};
