import { AppError } from '@accessops/errors';
import KeycloakAdminClient, { NetworkError } from '@keycloak/keycloak-admin-client';
import { answerWithinMs } from './answer-within.ts';
import type { Grants } from './grants.ts';
import { createTurns } from './turns.ts';

const width = 8;
const renewBeforeMs = 20_000;

/** The realm's client whose service account manages people. */
export const serviceClient = 'accessops-identity';

/** Keycloak's admin API under the name of the service `identity`. */
export interface Admin {
  /** Works with the client. Errors: those of `work`, DEPENDENCY_UNAVAILABLE. */
  run<T>(work: (client: KeycloakAdminClient) => Promise<T>): Promise<T>;
}

/** The HTTP status of a refusal by the admin API; undefined for any other error. */
export const statusOf = (error: unknown): number | undefined => (error instanceof NetworkError ? error.response.status : undefined);

/** What `work` answers, or undefined when Keycloak does not know what it asks for. */
export const orMissing = async <T>(work: Promise<T>): Promise<T | undefined> => {
  try {
    return await work;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
};

/** Leaves out a refusal because of what is there already (409), or gone already (404). */
export const unless = async (status: 404 | 409, work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (statusOf(error) !== status) throw error;
  }
};

/** The admin client of a realm, with a time limit, a few calls at a time, and a token that is renewed in time. */
export const createAdmin = ({ baseUrl, realm, grants }: { baseUrl: string; realm: string; grants: Grants }): Admin => {
  const client = new KeycloakAdminClient({ baseUrl, realmName: realm, timeout: answerWithinMs });
  const turns = createTurns(width);
  let token = '';
  let renewAt = 0;
  let renewing: Promise<string> | undefined;

  const renew = async (): Promise<string> => {
    const { accessToken, expiresIn } = await grants.forClient(serviceClient);
    token = accessToken;
    renewAt = performance.now() + expiresIn * 1000 - renewBeforeMs;
    return token;
  };
  client.registerTokenProvider({
    getAccessToken: async () => {
      if (token && performance.now() < renewAt) return token;
      renewing ??= renew().finally(() => {
        renewing = undefined;
      });
      return renewing;
    },
  });

  return {
    run: (work) =>
      turns('', async () => {
        try {
          return await work(client).catch((error: unknown) => {
            // A Keycloak that was restarted with other keys knows nothing of the token.
            if (statusOf(error) !== 401) throw error;
            token = '';
            return work(client);
          });
        } catch (error) {
          const status = statusOf(error);
          if (error instanceof AppError || (status !== undefined && status < 500 && status !== 401 && status !== 403)) throw error;
          throw new AppError('DEPENDENCY_UNAVAILABLE', 'The identity provider does not answer', { cause: error });
        }
      }),
  };
};
