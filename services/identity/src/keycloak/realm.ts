import { AppError } from '@accessops/errors';
import type { ServiceParts } from '@accessops/service';
import { z } from 'zod';
import { serviceClient } from './admin.ts';
import { loginClients } from './clients.ts';

const withinMs = 8000;
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

/** Looks whether the realm is there with all of its clients; once it was found complete, nobody looks again. */
export const createRealm = ({ realmUrl, secret, log }: RealmOptions): Realm => {
  let isComplete = false;
  let told = '';
  let looking: Promise<void> | undefined;

  /** What is wrong about a client; undefined for nothing. A client that may not get a token for itself must be known to be told so. */
  const problemOf = async (clientId: string): Promise<string | undefined> => {
    const response = await fetch(`${realmUrl}/protocol/openid-connect/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      signal: AbortSignal.timeout(withinMs),
    });
    const body: unknown = await response.json();
    if (response.ok) return undefined;
    if (response.status === 404) return 'there is no such realm';
    if (response.status >= 500) throw new Error(`the token endpoint: ${response.status}`);
    const { error = '', error_description: description = '' } = refusal.safeParse(body).data ?? {};
    if (error === 'invalid_client') return `there is no client ${clientId}`;
    if (description.includes('credentials')) return `the client ${clientId} has another secret`;
    return clientId === serviceClient ? `the client ${clientId} has no service account` : undefined;
  };

  const look = async () => {
    let problems: string[];
    try {
      problems = (await Promise.all([serviceClient, ...loginClients].map(problemOf))).filter((problem) => problem !== undefined);
    } catch (cause) {
      throw new AppError('DEPENDENCY_UNAVAILABLE', 'The identity provider does not answer', { cause });
    }
    isComplete = problems.length === 0;
    const text = [...new Set(problems)].join('; ');
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
