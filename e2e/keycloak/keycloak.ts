import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { inject } from 'vitest';

const realm = 'accessops';

/** The process of identity at the moment: one that was killed is started again. */
export const identityPid = (): number => Number(/\d+/.exec(readFileSync(inject('keycloak').identityPidFile, 'utf8'))?.[0]);

const post = async (path: string, parameters: Record<string, string>, authorization?: string): Promise<Record<string, unknown>> => {
  const response = await fetch(`${inject('keycloak').url}${path}`, {
    method: 'POST',
    headers: authorization ? { authorization } : {},
    body: new URLSearchParams(parameters),
  });
  return (await response.json()) as Record<string, unknown>;
};

/** Keycloak's own answer to a login with a password, without us in between. */
export const directly = (clientId: string, username: string, password: string, scope: string): Promise<Record<string, unknown>> => {
  const basic = Buffer.from(`${clientId}:${inject('keycloak').clientSecret}`).toString('base64');
  const parameters = { grant_type: 'password', username, password, scope };
  return post(`/realms/${realm}/protocol/openid-connect/token`, parameters, `Basic ${basic}`);
};

// Its tokens live for a minute.
const administratorToken = async (): Promise<string> => {
  const parameters = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: inject('keycloak').adminPassword };
  return String((await post('/realms/master/protocol/openid-connect/token', parameters)).access_token);
};

/** A call of Keycloak's admin API as an administrator at its console would make it. */
export const admin = async <T = unknown>(method: string, path: string, body?: unknown): Promise<T> => {
  const { url } = inject('keycloak');
  const response = await fetch(`${url}/admin/realms/${realm}${path}`, {
    method,
    headers: { authorization: `Bearer ${await administratorToken()}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return (text ? JSON.parse(text) : undefined) as T;
};

/** How long something took to become true, in milliseconds; fails after ten seconds. */
export const timeUntil = async (what: string, condition: () => Promise<boolean>): Promise<number> => {
  const startedAt = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedAt > 10_000) throw new Error(`not within ten seconds: ${what}`);
    await delay(20);
  }
  return performance.now() - startedAt;
};
