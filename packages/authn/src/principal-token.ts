import { AppError } from '@accessops/errors';
import { createLocalJWKSet, importJWK, type JSONWebKeySet, type JWK, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { type Principal, principalSchema } from './principal.ts';

const audience = 'accessops-services';
const lifetimeS = 60;

/** Signs principals; the services know the key by its `kid`, which is the name of the signing process. */
export interface PrincipalMinter {
  /** A compact JWS, valid for 60 seconds (the idea of draft-ietf-oauth-transaction-tokens). */
  mint(principal: Principal): Promise<string>;
}

/** A minter for a private Ed25519 JWK whose `kid` is the name of this process. */
export const createMinter = async (privateJwk: JWK): Promise<PrincipalMinter> => {
  const { kid } = privateJwk;
  if (!kid) throw new Error('The principal key has no kid');
  const key = await importJWK(privateJwk, 'EdDSA');
  return {
    mint: (principal) =>
      new SignJWT({ principal })
        .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'principal+jwt' })
        .setIssuer(kid)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(`${lifetimeS}s`)
        .sign(key),
  };
};

/** Checks a principal token; throws INVALID_TOKEN for anything but a good one. */
export type VerifyPrincipal = (token: string) => Promise<Principal>;

/** What each signer may vouch for: the gateway for people and itself, a service only for itself. */
const mayVouch = (signer: string, principal: Principal): boolean =>
  signer === 'gateway' ? principal.type !== 'service' : principal.type === 'service' && principal.id === signer;

/** A verifier over the public keys of the processes that may sign; verified tokens are remembered until they expire. */
export const createPrincipalVerifier = (jwks: JSONWebKeySet): VerifyPrincipal => {
  const keys = createLocalJWKSet(jwks);
  const known = new LRUCache<string, { principal: Principal; expiresAtMs: number }>({ max: 5000 });
  return async (token) => {
    const hit = known.get(token);
    if (hit && hit.expiresAtMs > Date.now()) return hit.principal;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        algorithms: ['EdDSA'],
        audience,
        typ: 'principal+jwt',
        requiredClaims: ['exp', 'iss'],
      });
      const principal = principalSchema.parse(payload.principal);
      const signer = protectedHeader.kid ?? '';
      if (payload.iss !== signer || !mayVouch(signer, principal))
        throw new Error(`${signer} may not vouch for ${principal.type} ${principal.id}`);
      known.set(token, { principal, expiresAtMs: (payload.exp ?? 0) * 1000 });
      return principal;
    } catch (cause) {
      throw new AppError('INVALID_TOKEN', 'The principal token is not valid', { cause });
    }
  };
};
