import type KeycloakAdminClient from '@keycloak/keycloak-admin-client';
import { ConnectorError, nonsense } from '../../connector.ts';
import type { Login } from '../logins.ts';
import { untilReplaced } from '../until-replaced.ts';
import type { KeycloakLogin } from './keycloak-login.ts';

const requestTimeoutMs = 5000;

/** The admin API of a realm for one call. */
export interface Realm {
  client: KeycloakAdminClient;
  /** To be called before something is changed. */
  touch(): void;
}

/** The HTTP status that Keycloak has answered with; undefined when it has not: whatever else may answer in its place does not say why as it does. */
export const statusOf = (error: unknown): number | undefined => {
  if (!(error instanceof Error)) return undefined;
  const { response, responseData } = error as { response?: unknown; responseData?: unknown };
  const says = typeof responseData === 'object' && responseData !== null && ('error' in responseData || 'errorMessage' in responseData);
  return response instanceof Response && says ? response.status : undefined;
};

/** What was asked for, if it is a list: the library hands on whatever came. */
export const listed = async <T>(asked: Promise<T[]>): Promise<T[]> => {
  const found = await asked;
  if (!Array.isArray(found)) throw nonsense('The realm');
  return found;
};

/** What Keycloak says in words. */
export const saidIn = (error: unknown): string => {
  const { errorMessage, error: said } = (error as { responseData: { errorMessage?: unknown; error?: unknown } }).responseData;
  return String(errorMessage ?? said).slice(0, 300);
};

const explain = (login: string, signedIn: boolean, touched: boolean, error: unknown): ConnectorError => {
  if (error instanceof ConnectorError) return error;
  const status = statusOf(error);
  if (status === 400 && signedIn) return new ConnectorError('refused', `The realm refuses: ${saidIn(error)}`, error);
  if (status === 401 || status === 400)
    return new ConnectorError('refused', `The realm does not accept the client of the login "${login}"`, error);
  if (status === 403) return new ConnectorError('refused', `The client of the login "${login}" may not manage members of groups`, error);
  if (status === 404) return new ConnectorError('refused', 'The realm does not know the person or the group', error);
  if (status === 409 || status === 429 || status === 503)
    return new ConnectorError('failed', `The realm cannot do it now (${status})`, error);
  if (touched) return new ConnectorError('unknown', 'The realm has not confirmed the change', error);
  return new ConnectorError('failed', `The realm of the login "${login}" cannot be reached`, error);
};

/** Runs `work` with the admin API of a realm; throws a ConnectorError that tells what is known. */
export const withRealm = async <T>(
  { name, settings }: Login<KeycloakLogin>,
  signal: AbortSignal,
  work: (realm: Realm) => Promise<T>,
): Promise<T> => {
  const { default: AdminClient } = await import('@keycloak/keycloak-admin-client');
  const { URL: baseUrl, REALM, CLIENT_ID, CLIENT_SECRET } = settings;
  const client = new AdminClient({ baseUrl, realmName: REALM, timeout: requestTimeoutMs });
  const inTime = untilReplaced(signal);
  let signedIn = false;
  let touched = false;
  try {
    inTime();
    await client.auth({ grantType: 'client_credentials', clientId: CLIENT_ID, clientSecret: CLIENT_SECRET });
    const token = client.accessToken;
    if (typeof token !== 'string') throw nonsense('The realm');
    signedIn = true;
    // Asked for before each request.
    client.registerTokenProvider({
      getAccessToken: async () => {
        inTime();
        return token;
      },
    });
    return await work({
      client,
      touch: () => {
        touched = true;
      },
    });
  } catch (error) {
    throw explain(name, signedIn, touched, error);
  }
};
