import type KeycloakAdminClient from '@keycloak/keycloak-admin-client';
import { type Admin, orMissing, unless } from './admin.ts';
import { forgetFailures } from './lockout.ts';

type Credential = Awaited<ReturnType<KeycloakAdminClient['users']['getCredentials']>>[number];

/** What Keycloak keeps to prove who somebody is; nothing for somebody it does not know. */
export const credentialsOf = async (admin: Admin, userId: string): Promise<Credential[]> =>
  (await admin.run(({ users }) => orMissing(users.getCredentials({ id: userId })))) ?? [];

const put = (admin: Admin, userId: string, credential: Credential) =>
  admin.run(({ users }) => unless(404, users.update({ id: userId }, { credentials: [credential] })));

/** Gives somebody the password of a hash (argon2id, in the format of PHC), and unlocks who had too many wrong ones. */
export const putPassword = async (admin: Admin, userId: string, passwordHash: string): Promise<void> => {
  await put(admin, userId, passwordCredential(passwordHash));
  await forgetFailures(admin, userId);
};

const padded = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString('base64');

/** A hash as Keycloak keeps its own. */
export const passwordCredential = (passwordHash: string): Credential => {
  const [, type = '', version = '', parameters = '', salt, value] = passwordHash.split('$');
  const { m, t, p } = Object.fromEntries(parameters.split(',').map((parameter) => parameter.split('=')));
  const additionalParameters = {
    type: [type.replace('argon2', '')],
    version: [version === 'v=19' ? '1.3' : '1.0'],
    memory: [m],
    parallelism: [p],
    hashLength: [String(Buffer.from(value ?? '', 'base64').length)],
  };
  return {
    type: 'password',
    temporary: false,
    secretData: JSON.stringify({ value: padded(value), salt: padded(salt), additionalParameters: {} }),
    credentialData: JSON.stringify({ algorithm: 'argon2', hashIterations: Number(t), additionalParameters }),
  };
};

/** An authenticator app that was set up here; `secret` in base32. */
export interface AuthenticatorApp {
  credentialId: string;
  secret: string;
}

/** Makes Keycloak ask for an app, by the id that it has here. */
export const putAuthenticatorApp = async (admin: Admin, userId: string, { credentialId, secret }: AuthenticatorApp): Promise<void> => {
  const credentialData = { subType: 'totp', digits: 6, period: 30, algorithm: 'HmacSHA1', counter: 0, secretEncoding: 'BASE32' };
  await put(admin, userId, {
    id: credentialId,
    type: 'otp',
    userLabel: 'AccessOps',
    secretData: JSON.stringify({ value: secret }),
    credentialData: JSON.stringify(credentialData),
  });
};

/** Makes Keycloak forget an app. */
export const dropAuthenticatorApp = (admin: Admin, userId: string, credentialId: string): Promise<void> =>
  admin.run(({ users }) => unless(404, users.deleteCredential({ id: userId, credentialId })));
