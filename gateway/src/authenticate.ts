import { type AccessTokenClaims, createAccessTokenVerifier, createKeySource, looksLikeApiKey, parseApiKey } from '@accessops/authn';
import { AppError } from '@accessops/errors';
import type { JSONWebKeySet } from 'jose';

/** What a caller has shown: the claims of an access token, or in their shape an API key, which identity has still to look up. */
export type Credentials = AccessTokenClaims & {
  /** SHA-256 of an API key; `sid` is the key's id. */
  apiKeyHash?: Buffer;
};

/** Checks an `Authorization` header. Errors: INVALID_TOKEN, INVALID_API_KEY, DEPENDENCY_UNAVAILABLE when there are no keys to check with. */
export type Authenticate = (authorization: string | undefined) => Promise<Credentials>;

export interface AuthenticatorOptions {
  issuer: string;
  fetchJwks: () => Promise<JSONWebKeySet>;
}

// RFC 9110: the scheme in any case, and as many spaces as somebody likes.
const bearer = /^bearer +(\S+)$/i;

// Never the platform's: what a key may do there, no scope says.
const audiencesOfKeys = ['accessops-app', 'accessops-org-admin'];

const readApiKey = (token: string): Promise<Credentials> => {
  const presented = parseApiKey(token);
  if (!presented) return Promise.reject(new AppError('INVALID_API_KEY'));
  const { keyId, hash } = presented;
  return Promise.resolve({ iss: '', sub: keyId, sid: keyId, aud: audiencesOfKeys, exp: 0, iat: 0, apiKeyHash: hash });
};

/** Cause of the INVALID_TOKEN of a call that carries nothing at all. */
export const noCredentials = new Error('No credentials were sent');

/** An authenticator for API keys, and for access tokens of one issuer, whose keys are fetched when needed. */
export const createAuthenticator = ({ issuer, fetchJwks }: AuthenticatorOptions): Authenticate => {
  const verify = createAccessTokenVerifier({ issuer, keys: createKeySource({ fetchJwks }) });
  return (authorization) => {
    if (!authorization)
      return Promise.reject(new AppError('INVALID_TOKEN', 'An access token is needed: Authorization: Bearer …', { cause: noCredentials }));
    // The usual spelling first: most headers have it, and the token is looked at by the verifier anyway.
    const token = authorization.startsWith('Bearer ') ? authorization.slice(7) : bearer.exec(authorization)?.[1];
    if (!token) return Promise.reject(new AppError('INVALID_TOKEN', 'The Authorization header must be a bearer token'));
    return looksLikeApiKey(token) ? readApiKey(token) : verify(token);
  };
};
