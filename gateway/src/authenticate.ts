import { type AccessTokenClaims, createAccessTokenVerifier, createKeySource } from '@accessops/authn';
import { AppError } from '@accessops/errors';
import type { JSONWebKeySet } from 'jose';

/** Checks an `Authorization` header. Errors: INVALID_TOKEN, DEPENDENCY_UNAVAILABLE when there are no keys to check with. */
export type Authenticate = (authorization: string | undefined) => Promise<AccessTokenClaims>;

export interface AuthenticatorOptions {
  issuer: string;
  fetchJwks: () => Promise<JSONWebKeySet>;
}

// RFC 9110: the scheme in any case, and as many spaces as somebody likes.
const bearer = /^bearer +(\S+)$/i;

/** An authenticator for access tokens of one issuer, whose keys are fetched when needed. */
export const createAuthenticator = ({ issuer, fetchJwks }: AuthenticatorOptions): Authenticate => {
  const verify = createAccessTokenVerifier({ issuer, keys: createKeySource({ fetchJwks }) });
  return (authorization) => {
    if (!authorization) return Promise.reject(new AppError('INVALID_TOKEN', 'An access token is needed: Authorization: Bearer …'));
    // The usual spelling first: most headers have it, and the token is looked at by the verifier anyway.
    const token = authorization.startsWith('Bearer ') ? authorization.slice(7) : bearer.exec(authorization)?.[1];
    return token ? verify(token) : Promise.reject(new AppError('INVALID_TOKEN', 'The Authorization header must be a bearer token'));
  };
};
