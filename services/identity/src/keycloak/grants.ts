import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { AppError } from '@accessops/errors';
import Grant from 'keycloak-connect/middleware/auth-utils/grant.js';
import GrantManager from 'keycloak-connect/middleware/auth-utils/grant-manager.js';
import Token from 'keycloak-connect/middleware/auth-utils/token.js';
import { z } from 'zod';
import { answerWithinMs } from './answer-within.ts';
import { createTurns } from './turns.ts';

// keycloak-connect gives no hand on its requests: it has no timeout, and it never reads the body of a refusal, whose socket then stays
// open. Node tells of every request that begins; those made on behalf of a call of ours are watched over here.
const maxSockets = 10;
const maxRefusalLength = 10_000;

interface Watched {
  requests: ClientRequest[];
  refusal: Promise<string>;
  tellRefusal(body: string): void;
}

const current = new AsyncLocalStorage<Watched>();

const watchOver = (request: ClientRequest, watched: Watched) => {
  watched.requests.push(request);
  request.once('response', (response: IncomingMessage) => {
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return;
    let body = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      if (body.length < maxRefusalLength) body += chunk;
    });
    // Also when it is cut off.
    response.once('close', () => watched.tellRefusal(body));
  });
};

subscribe('http.client.request.start', (message) => {
  const watched = current.getStore();
  if (watched) watchOver((message as { request: ClientRequest }).request, watched);
});

const watchedCall = (): Watched => {
  let tellRefusal: (body: string) => void = () => {};
  const refusal = new Promise<string>((resolve) => {
    tellRefusal = resolve;
  });
  return { requests: [], refusal, tellRefusal };
};

/** Keycloak's answer when it gives no tokens: an error code of RFC 6749, 5.2. */
export class GrantRefused extends Error {
  readonly code: string;

  constructor(code: string, description: string) {
    super(`${code}: ${description}`);
    this.code = code;
  }
}

const unavailable = (cause: unknown): AppError =>
  new AppError('DEPENDENCY_UNAVAILABLE', 'The identity provider does not answer', { cause });

const refusalShape = z.object({ error: z.string(), error_description: z.string().default('') });

const parseRefusal = (body: string) => {
  try {
    return refusalShape.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
};

/** What a refusal means. Anything but one of what people sent is ours to put right: a wrong secret, a client that is missing. */
const refusalOf = (body: string, cause: unknown): Error => {
  const told = parseRefusal(body);
  if (!told || (told.error !== 'invalid_grant' && told.error !== 'invalid_scope')) return unavailable(cause);
  return new GrantRefused(told.error, told.error_description);
};

const isRefusal = (status: number): boolean => status >= 400 && status < 500;

/** keycloak-connect's errors are texts such as "400:Bad Request"; what Keycloak meant stands in the body. */
const translate = async (error: unknown, { refusal }: Watched): Promise<Error> => {
  const status = Number(/^(\d{3}):/.exec(error instanceof Error ? error.message : '')?.[1] ?? 0);
  return isRefusal(status) ? refusalOf(await refusal, error) : unavailable(error);
};

const answer = z.object({
  access_token: z.string(),
  refresh_token: z.string().default(''),
  expires_in: z.number(),
  refresh_expires_in: z.number().default(0),
});

/** The answer of the token endpoint; lifetimes in seconds. */
export interface KeycloakTokens {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  refreshExpiresIn: number;
}

const tokensIn = (body: string): KeycloakTokens => {
  const tokens = answer.parse(JSON.parse(body));
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    expiresIn: tokens.expires_in,
    refreshExpiresIn: tokens.refresh_expires_in,
  };
};

/** keycloak-connect's manager, left to fetch: tokens are verified where they are used, by jose. */
class FetchingManager extends GrantManager {
  override validateGrant(grant: Grant): Promise<Grant> {
    return Promise.resolve(grant);
  }
}

interface PasswordGrant {
  username: string;
  password: string;
  scope: string;
  /** Empty for none. */
  totp: string;
}

export interface Grants {
  /** By a person's password, and a one-time code where Keycloak asks for one. Errors: GrantRefused, DEPENDENCY_UNAVAILABLE. */
  byPassword(clientId: string, credentials: PasswordGrant): Promise<KeycloakTokens>;
  /** By a refresh token. Errors: the same. */
  byRefreshToken(clientId: string, refreshToken: string): Promise<KeycloakTokens>;
  /** For a client itself. Errors: the same. */
  forClient(clientId: string): Promise<KeycloakTokens>;
}

/** Grants of a realm by keycloak-connect: with a time limit, a limit of sockets and errors that say what is the matter. */
export const createGrants = ({ realmUrl, secret }: { realmUrl: string; secret: string }): Grants => {
  const turns = createTurns(maxSockets);
  const managers = new Map<string, GrantManager>();
  const managerOf = (clientId: string): GrantManager => {
    const manager = managers.get(clientId) ?? new FetchingManager({ realmUrl, clientId, secret, public: false, bearerOnly: false });
    managers.set(clientId, manager);
    return manager;
  };

  const run = (obtain: () => Promise<Grant>): Promise<KeycloakTokens> =>
    turns('', async () => {
      const watched = watchedCall();
      let timer: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new Error(`no answer within ${answerWithinMs} ms`));
          for (const request of watched.requests) request.destroy();
          watched.tellRefusal('');
        }, answerWithinMs);
      });
      try {
        return tokensIn((await Promise.race([current.run(watched, obtain), tooLate])).__raw);
      } catch (error) {
        throw await translate(error, watched);
      } finally {
        clearTimeout(timer);
      }
    });

  /** keycloak-connect knows no one-time codes. */
  const obtainWithCode = async (clientId: string, credentials: PasswordGrant): Promise<KeycloakTokens> => {
    const request = {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'password', ...credentials }),
      signal: AbortSignal.timeout(answerWithinMs),
    };
    const answered = await fetch(`${realmUrl}/protocol/openid-connect/token`, request)
      .then(async (response) => ({ status: response.status, body: await response.text() }))
      .catch((error: unknown) => Promise.reject(unavailable(error)));
    if (answered.status === 200) return tokensIn(answered.body);
    const cause = new Error(`the token endpoint: ${answered.status}`);
    throw isRefusal(answered.status) ? refusalOf(answered.body, cause) : unavailable(cause);
  };

  return {
    byPassword: (clientId, credentials) => {
      const { username, password, scope, totp } = credentials;
      if (totp) return turns('', () => obtainWithCode(clientId, credentials));
      return run(() => managerOf(clientId).obtainDirectly(username, password, undefined, scope));
    },
    byRefreshToken: (clientId, refreshToken) =>
      // Without an access token a grant counts as expired, which is what makes the manager refresh it.
      run(() => managerOf(clientId).ensureFreshness(new Grant({ refresh_token: new Token(refreshToken) }))),
    forClient: (clientId) => run(() => managerOf(clientId).obtainFromClientCredentials(undefined, 'openid')),
  };
};
