import { AppError } from '@accessops/errors';
import type { JSONWebKeySet } from 'jose';

const withinMs = 3000;
const rememberMs = 2000;

const fetchKeys = async (realmUrl: string): Promise<JSONWebKeySet> => {
  try {
    const response = await fetch(`${realmUrl}/protocol/openid-connect/certs`, { signal: AbortSignal.timeout(withinMs) });
    if (!response.ok) throw new Error(`the keys of the realm: ${response.status}`);
    const { keys } = (await response.json()) as JSONWebKeySet;
    // There is one for encryption too.
    return { keys: keys.filter(({ use, alg }) => use === 'sig' && alg === 'RS256') };
  } catch (cause) {
    throw new AppError('DEPENDENCY_UNAVAILABLE', 'The identity provider does not answer', { cause });
  }
};

/** The realm's keys. Everybody may ask for them, so Keycloak is asked once for all who come within two seconds. */
export const createKeys = (realmUrl: string): (() => Promise<JSONWebKeySet>) => {
  let current: Promise<JSONWebKeySet> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  return () => {
    if (!current || performance.now() - askedAt > rememberMs) {
      askedAt = performance.now();
      const asked = fetchKeys(realmUrl);
      asked.catch(() => {
        if (current === asked) current = undefined;
      });
      current = asked;
    }
    return current;
  };
};
