import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { login } from '../client.ts';

const realm = 'accessops';

/** The process of a part of the platform at the moment: one that was killed is started again. */
export const pidOf = (part: 'identity' | 'keycloak'): number =>
  Number(/\d+/.exec(readFileSync(join(inject('dataDir'), 'run', `${part}.pid`), 'utf8'))?.[0]);

const post = async (path: string, parameters: Record<string, string>, authorization?: string): Promise<Record<string, unknown>> => {
  const response = await fetch(`${inject('keycloak').url}${path}`, {
    method: 'POST',
    headers: authorization ? { authorization } : {},
    body: new URLSearchParams(parameters),
  });
  return (await response.json()) as Record<string, unknown>;
};

interface DirectLogin {
  username: string;
  password: string;
  scope?: string;
  realm?: string;
}

/** Keycloak's own answer to a login with a password for `accessops-app`, without us in between. */
export const directly = ({ realm: where = realm, scope = 'openid', ...credentials }: DirectLogin): Promise<Record<string, unknown>> => {
  const basic = Buffer.from(`accessops-app:${inject('keycloak').clientSecret}`).toString('base64');
  const parameters = { grant_type: 'password', scope, ...credentials };
  return post(`/realms/${where}/protocol/openid-connect/token`, parameters, `Basic ${basic}`);
};

/** A token of Keycloak's own administrator, of its realm `master`; they live for a minute. */
export const administratorToken = async (): Promise<string> => {
  const parameters = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: inject('keycloak').adminPassword };
  return String((await post('/realms/master/protocol/openid-connect/token', parameters)).access_token);
};

/** A call of Keycloak's admin API as an administrator at its console would make it. */
export const admin = <T = unknown>(method: string, path: string, body?: unknown): Promise<T> =>
  adminOfAll<T>(method, `/${realm}${path}`, body);

/** The same, about any realm. */
export const adminOfAll = async <T = unknown>(method: string, path: string, body?: unknown): Promise<T> => {
  const response = await fetch(`${inject('keycloak').url}/admin/realms${path}`, {
    method,
    headers: { authorization: `Bearer ${await administratorToken()}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
  return (text ? JSON.parse(text) : undefined) as T;
};

/** Whether people can sign in: Keycloak and the platform in front of it are all there. */
export const isUp = async (): Promise<boolean> => {
  const answer = await login('requester@acme.test', 'accessops-demo-2026').catch(() => undefined);
  return answer?.status === 200;
};
