import { dirname, join } from 'node:path';
import type { Service } from '@accessops/dev';
import type { TestDatabase } from './database.ts';
import { infrastructure } from './infrastructure.ts';
import { patienceMs } from './patience.ts';

export interface ServiceEnvironmentOptions {
  database: TestDatabase;
  /** See `namespace()`. */
  namespace: string;
  /** What differs, and addresses of other services. */
  overrides?: Record<string, string>;
}

/**
 * The environment of one service in a test, for its `configFrom`: a free port, the shared servers, keys of this run.
 * It names the key files of all services; each reads its own.
 */
export const serviceEnvironment = (
  service: Service,
  { database, namespace, overrides }: ServiceEnvironmentOptions,
): Record<string, string> => {
  const { nats, cerbosAddress, keyFiles } = infrastructure();
  return {
    LISTEN: '127.0.0.1:0',
    DATABASE_URL: database.appUrl(service),
    NATS_URL: nats.url,
    NATS_USER: nats.user,
    NATS_PASSWORD: nats.password,
    CERBOS_ADDRESS: cerbosAddress,
    // Several suites share two cores: what is slow for a moment is not down.
    DECISION_TIMEOUT_MS: String(patienceMs),
    PRINCIPAL_JWKS_FILE: keyFiles.principalJwks,
    EVENTS_NAMESPACE: namespace,
    LOG_LEVEL: 'fatal',
    ISSUER: 'http://accessops.test',
    PUBLIC_URL: 'http://accessops.test',
    MAIL_DIRECTORY: join(dirname(keyFiles.identityKey), 'mail'),
    FILES_DIRECTORY: join(dirname(keyFiles.identityKey), 'files'),
    IDENTITY_KEY_FILE: keyFiles.identityKey,
    PRINCIPAL_KEY_FILE: service === 'provisioner' ? keyFiles.provisionerPrincipalKey : keyFiles.approvalsPrincipalKey,
    // Nobody listens there: a suite that needs neighbours starts them and says where.
    IDENTITY_ADDRESS: '127.0.0.1:1',
    REQUESTS_ADDRESS: '127.0.0.1:1',
    CREDENTIAL_KEY_FILE: keyFiles.credentialKey,
    ...overrides,
  };
};
