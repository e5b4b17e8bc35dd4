import { AppError } from '@accessops/errors';
import type { ServiceParts } from '@accessops/service';
import type { Look } from '@accessops/telemetry';
import { z } from 'zod';
import { serviceClient } from './admin.ts';
import { answerWithinMs } from './answer-within.ts';
import { loginClients } from './clients.ts';

const refusal = z.object({ error: z.string(), error_description: z.string().default('') });

/** Whether Keycloak is set up for us. */
export interface Realm {
  /** Asked before anything is made. Errors: DEPENDENCY_UNAVAILABLE, also while the realm lacks something. */
  ensure(): Promise<void>;
}

interface RealmOptions {
  realmUrl: string;
  /** Of its clients. */
  secret: string;
  log: ServiceParts['log'];
}

interface Problem {
  variable: string;
  what: string;
  remedy: string;
}

/** What is wrong about a client; undefined for nothing. A client that may not get a token for itself must be known to be told so. */
const problemOf = async (
  clientId: string,
  { realmUrl, secret }: Pick<RealmOptions, 'realmUrl' | 'secret'>,
): Promise<Problem | undefined> => {
  const response = await fetch(`${realmUrl}/protocol/openid-connect/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
    signal: AbortSignal.timeout(answerWithinMs),
  });
  const body: unknown = await response.json();
  if (response.ok) return undefined;
  const ofRealm = (what: string, remedy: string) => ({ variable: 'ISSUER', what, remedy });
  if (response.status === 404)
    return ofRealm('there is no such realm', `import deploy/keycloak/accessops-realm.json, or name another than ${realmUrl}`);
  if (response.status >= 500) throw new Error(`the token endpoint: ${response.status}`);
  const { error = '', error_description: description = '' } = refusal.safeParse(body).data ?? {};
  if (error === 'invalid_client')
    return ofRealm(`there is no client ${clientId}`, `make it in ${realmUrl} as deploy/keycloak/accessops-realm.json has it`);
  if (description.includes('credentials')) {
    const what = `the client ${clientId} has another secret`;
    return { variable: 'KEYCLOAK_CLIENT_SECRET_FILE', what, remedy: 'put the secret of the clients into the file' };
  }
  if (clientId !== serviceClient) return undefined;
  return ofRealm(`the client ${clientId} has no service account`, `switch it on in ${realmUrl}`);
};

const problemsOfRealm = async (options: Pick<RealmOptions, 'realmUrl' | 'secret'>): Promise<Problem[]> => {
  const found = (await Promise.all([serviceClient, ...loginClients].map((clientId) => problemOf(clientId, options)))).filter(
    (problem) => problem !== undefined,
  );
  return [...new Map(found.map((problem) => [problem.what, problem])).values()];
};

/** Looks whether the realm is there with all of its clients. */
export const lookAtRealm =
  (options: Pick<RealmOptions, 'realmUrl' | 'secret'>): Look =>
  async () =>
    (await problemsOfRealm(options)).map(({ variable, what, remedy }) => `${variable}: ${what}: ${remedy}`);

/** Looks whether the realm is there with all of its clients; once it was found complete, nobody looks again. */
export const createRealm = ({ realmUrl, secret, log }: RealmOptions): Realm => {
  let isComplete = false;
  let told = '';
  let looking: Promise<void> | undefined;

  const look = async () => {
    let problems: Problem[];
    try {
      problems = await problemsOfRealm({ realmUrl, secret });
    } catch (cause) {
      throw new AppError('DEPENDENCY_UNAVAILABLE', 'The identity provider does not answer', { cause });
    }
    isComplete = problems.length === 0;
    const text = problems.map(({ what }) => what).join('; ');
    if (text !== told) {
      told = text;
      if (isComplete) log.info({ realm: realmUrl }, 'the realm has all that is needed now');
      else log.error({ realm: realmUrl }, `nobody can sign up or in: ${text}`);
    }
    if (!isComplete) throw new AppError('DEPENDENCY_UNAVAILABLE', 'The identity provider is not set up');
  };

  return {
    ensure: () => {
      if (isComplete) return Promise.resolve();
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return looking;
    },
  };
};
