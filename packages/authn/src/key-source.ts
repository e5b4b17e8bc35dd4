import { AppError } from '@accessops/errors';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

export interface KeySourceOptions {
  /** Fetches the provider's current JWK set; throws when the provider cannot be reached. */
  fetchJwks: () => Promise<JSONWebKeySet>;
  now?: () => number;
}

const refetchAfterMs = 30_000;
const refreshAfterMs = 10 * 60_000;

/**
 * The provider's keys: fetched when needed, again for an unknown key id at most every 30 seconds (so that a flood of
 * unknown ids costs two fetches a minute and a new key is accepted within 35 s), and every 10 minutes.
 * The pause also follows a failed fetch, which jose's own remote set does not do.
 */
export const createKeySource = ({ fetchJwks, now = Date.now }: KeySourceOptions): JWTVerifyGetKey => {
  let keys: ReturnType<typeof createLocalJWKSet> | undefined;
  let attemptedAt = Number.NEGATIVE_INFINITY;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;

  const load = async () => {
    attemptedAt = now();
    try {
      keys = createLocalJWKSet(await fetchJwks());
      loadedAt = now();
    } catch (cause) {
      // Without any key there is nothing to go on with, and the next caller may try at once.
      if (!keys) {
        attemptedAt = Number.NEGATIVE_INFINITY;
        throw new AppError('DEPENDENCY_UNAVAILABLE', 'The keys of the identity provider cannot be fetched', { cause });
      }
    }
  };
  const loadOnce = () => {
    running ??= load().finally(() => {
      running = undefined;
    });
    return running;
  };

  const find: JWTVerifyGetKey = (header, token) => {
    if (!keys) throw new AppError('DEPENDENCY_UNAVAILABLE');
    return keys(header, token);
  };

  return async (header, token) => {
    const due = now() - attemptedAt > refetchAfterMs;
    if (!keys || (due && now() - loadedAt > refreshAfterMs)) await loadOnce();
    try {
      return await find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || now() - attemptedAt <= refetchAfterMs) throw error;
      await loadOnce();
      return await find(header, token);
    }
  };
};
