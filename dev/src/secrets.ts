import { generateKeyPairSync, type JsonWebKey, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Service, services } from '@accessops/events/topology';
import { platformUsers } from './demo.ts';

/** What one platform keeps secret. */
export interface Secrets {
  /** Password of the database's superuser. */
  postgres: string;
  /** Passwords of each service's two database logins. */
  database: Record<Service, { owner: string; app: string }>;
  /** What Keycloak is configured with, where it is the identity provider. */
  keycloak: { database: string; client: string; admin: string };
  /** Passwords of the NATS users. */
  nats: Record<Service | 'gateway' | 'platform', string>;
  /** Password of the provisioner's login at the demo's database. */
  demoDatabase: string;
  /** Paths of the files that the processes read themselves. */
  files: Record<SecretFile, string>;
}

type SecretFile =
  | 'principalJwks'
  | 'gatewayPrincipalKey'
  | 'approvalsPrincipalKey'
  | 'provisionerPrincipalKey'
  | 'identityKey'
  | 'credentialKey'
  | 'cursorKey'
  | 'platformUsers'
  | 'keycloakClient';

/** A private Ed25519 key as JWK; `kid` is the name of the process that signs with it. */
export interface PrincipalKey extends JsonWebKey {
  kty: string;
  kid: string;
  alg: string;
  use: string;
}

export const newPrincipalKey = (kid: string): PrincipalKey => ({
  ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
  kty: 'OKP',
  kid,
  alg: 'EdDSA',
  use: 'sig',
});

/** The public halves of such keys as a JWK set. */
export const publicKeysOf = (keys: JsonWebKey[]): { keys: JsonWebKey[] } => ({ keys: keys.map(({ d: _, ...publicKey }) => publicKey) });

const newPassword = () => randomBytes(24).toString('base64url');
/** Who begins a platform that is not the demo's. */
const firstPlatformUser = () => ({
  email: 'admin@accessops.test',
  firstName: 'First',
  lastName: 'Admin',
  password: newPassword(),
  realmRoles: ['platform-admin'],
});
const newKey = () => randomBytes(32).toString('base64');

/**
 * Reads the secrets in a folder; what is not there yet is made: the platform's staff with the password of the demo, or with one of their own.
 * All files are for their owner only.
 */
export const openSecrets = (folder: string, { demo = true } = {}): Secrets => {
  const pathOf = (name: string) => join(folder, name);
  const write = (path: string, content: string) => {
    // Renamed into place, so that a crash leaves no half a key.
    writeFileSync(`${path}.new`, content, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return content;
  };
  const once = (name: string, make: () => string) =>
    (existsSync(pathOf(name)) ? readFileSync(pathOf(name), 'utf8') : write(pathOf(name), make())).trim();
  const password = (name: string) => once(`${name}.password`, newPassword);
  const file = (name: string, make: () => string) => {
    once(name, make);
    return pathOf(name);
  };

  const gatewayKey = once('principal-gateway.jwk', () => JSON.stringify(newPrincipalKey('gateway')));
  const approvalsKey = once('principal-approvals.jwk', () => JSON.stringify(newPrincipalKey('approvals')));
  const provisionerKey = once('principal-provisioner.jwk', () => JSON.stringify(newPrincipalKey('provisioner')));
  // Made of the others: there may be one more than at the last start.
  write(pathOf('principals.jwks'), JSON.stringify(publicKeysOf([gatewayKey, approvalsKey, provisionerKey].map((key) => JSON.parse(key)))));
  const database = (service: Service) => ({ owner: password(`postgres-${service}-owner`), app: password(`postgres-${service}`) });
  const natsUsers = [...services, 'gateway', 'platform'] as const;
  return {
    postgres: password('postgres'),
    database: Object.fromEntries(services.map((service) => [service, database(service)])) as Secrets['database'],
    keycloak: { database: password('postgres-keycloak'), client: password('keycloak-client'), admin: password('keycloak-admin') },
    nats: Object.fromEntries(natsUsers.map((user) => [user, password(`nats-${user}`)])) as Secrets['nats'],
    demoDatabase: password('postgres-demo-database'),
    files: {
      principalJwks: pathOf('principals.jwks'),
      gatewayPrincipalKey: pathOf('principal-gateway.jwk'),
      approvalsPrincipalKey: pathOf('principal-approvals.jwk'),
      provisionerPrincipalKey: pathOf('principal-provisioner.jwk'),
      identityKey: file('identity.key', newKey),
      credentialKey: file('credential.keys', () => JSON.stringify({ current: 'k1', keys: { k1: newKey() } })),
      cursorKey: file('cursor.key', newKey),
      keycloakClient: pathOf('keycloak-client.password'),
      platformUsers: file('platform-users.json', () => JSON.stringify(demo ? platformUsers : [firstPlatformUser()])),
    },
  };
};
