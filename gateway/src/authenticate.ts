import { type AccessTokenClaims, createAccessTokenVerifier, createKeySource } from '@accessops/authn';
import { AppError } from '@accessops/errors';
import type { JSONWebKeySet } from 'jose';

/** Checks an `Authorization` header. Errors: INVALID_TOKEN, DEPENDENCY_UNAVAILABLE when there are no keys to check with. */
export type Authenticate = (authorization: string | undefined) => Promise<AccessTokenClaims>;

export interface AuthenticatorOptions {
  issuer: string;
  fetchJwks: () => Promise<JSONWebKeySet>;
}

// RFC 6750: one token, of the characters that a JWS can have.
const bearer = /^bearer +([A-Za-z0-9._~+/=-]+)$/i;

/** An authenticator for access tokens of one issuer, whose keys are fetched when needed. */
export const createAuthenticator = ({ issuer, fetchJwks }: AuthenticatorOptions): Authenticate => {
  const verify = createAccessTokenVerifier({ issuer, keys: createKeySource({ fetchJwks }) });
  return async (authorization) => {
    if (!authorization) throw new AppError('INVALID_TOKEN', 'An access token is needed: Authorization: Bearer …');
    const token = bearer.exec(authorization)?.[1];
    if (!token) throw new AppError('INVALID_TOKEN', 'The Authorization header must be a bearer token');
    return verify(token);
  };
};
