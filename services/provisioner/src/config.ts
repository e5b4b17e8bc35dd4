import { type FileStoreConfig, fileStoreConfigOf, fileStoreFields, missingOfFileStore } from '@accessops/files';
import { jsonFile, readServiceEnvironment, type ServiceConfig, serviceEnvironment, toServiceConfig } from '@accessops/service';
import { hostAndPort, problemsOf } from '@accessops/telemetry';
import { z } from 'zod';
import { type TargetLogins, targetLoginsFrom } from './connectors/target-logins.ts';
import type { CredentialKeys } from './credentials/local-keys.ts';

const key = z
  .base64()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((bytes) => bytes.length === 32, 'must be 32 bytes in base64');

const credentialKeys = z
  .object({ current: z.string(), keys: z.record(z.string(), key) })
  .refine(({ current, keys }) => Object.hasOwn(keys, current), 'the current key is not among the keys');

const ownKey = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  d: z.string(),
  kid: z.literal('provisioner'),
});

/** What the provisioner is told, besides its ways into targets. */
export const environment = serviceEnvironment.extend({
  /** host:port of identity, which sends mails. */
  IDENTITY_ADDRESS: hostAndPort,
  /** host:port of requests, which has the catalog. */
  REQUESTS_ADDRESS: hostAndPort,
  /** Private Ed25519 JWK under which this service calls others in its own name. */
  PRINCIPAL_KEY_FILE: jsonFile(ownKey),
  ...fileStoreFields,
  /** JSON `{"current": "k1", "keys": {"k1": "<base64 32 bytes>"}}`: keys that wrap the data keys of credentials. */
  CREDENTIAL_KEY_FILE: jsonFile(credentialKeys),
  /** How often targets are compared with grants. */
  RECONCILE_EVERY_MINUTES: z.coerce.number().int().min(1).max(10_080).default(60),
});

export interface ProvisionerConfig extends ServiceConfig {
  credentialKeys: CredentialKeys;
  reconcileEveryMs: number;
  identityAddress: string;
  requestsAddress: string;
  principalKey: z.infer<typeof ownKey>;
  /** Ways into targets. */
  logins: TargetLogins;
  /** Where reports are kept. */
  files: FileStoreConfig;
}

/** The configuration out of environment variables; throws a ConfigError that lists every problem. */
export const configFrom = (env: Record<string, string | undefined>): ProvisionerConfig => {
  const read = readServiceEnvironment('provisioner', environment, env, (given) => [
    ...missingOfFileStore(given),
    ...problemsOf(() => targetLoginsFrom(env)),
  ]);
  return {
    ...toServiceConfig(environment.shape, read),
    credentialKeys: read.CREDENTIAL_KEY_FILE,
    identityAddress: read.IDENTITY_ADDRESS,
    requestsAddress: read.REQUESTS_ADDRESS,
    principalKey: read.PRINCIPAL_KEY_FILE,
    reconcileEveryMs: read.RECONCILE_EVERY_MINUTES * 60_000,
    logins: targetLoginsFrom(env),
    files: fileStoreConfigOf(read),
  };
};
