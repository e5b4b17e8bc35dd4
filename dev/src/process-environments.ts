import { join } from 'node:path';
import { type Service, services } from '@accessops/events/topology';
import { demoDatabase, demoDatabaseLogin } from './demo-database.ts';
import { keycloakIssuer } from './keycloak.ts';
import { root } from './paths.ts';
import { postgresUrl } from './postgres.ts';
import type { Secrets } from './secrets.ts';

/** Where the parts of one platform listen: all on loopback. */
export interface Ports extends Record<Service, number> {
  gateway: number;
  postgres: number;
  nats: number;
  cerbos: number;
  /** Only with a real Keycloak. */
  keycloak?: number;
}

export type ServerName = Service | 'gateway';

/** The environment of each of our own processes. */
export type ServerEnvironments = Record<ServerName, Record<string, string>>;

/** The processes of our own. */
export const servers: readonly ServerName[] = [...services, 'gateway'];

/** The folder of a process's code. */
export const folderOf = (name: ServerName): string => (name === 'gateway' ? join(root, 'gateway') : join(root, 'services', name));

export const database = 'accessops';
export const namespace = 'accessops';

const passedOn = [
  'LOG_LEVEL',
  'ACCESSOPS_ENV',
  'DECISION_TIMEOUT_MS',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'SENTRY_DSN',
  'SENTRY_ENVIRONMENT',
];
/** What the front door may be told, see docs/configuration.md. */
const passedToGateway = [
  'ACCESSOPS_RATE_LIMIT',
  'RATE_LIMIT_USER',
  'RATE_LIMIT_TENANT',
  'RATE_LIMIT_ADDRESS',
  'REDIS_URL',
  'REDIS_TIMEOUT_MS',
  'TRUSTED_PROXIES',
  'CORS_ORIGINS',
  'CALL_TIMEOUT_MS',
  'HEADERS_TIMEOUT_MS',
  'REQUEST_TIMEOUT_MS',
  'IDLE_TIMEOUT_MS',
  'DRAIN_MS',
];

const taken = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));

/** Logins of connectors, see docs/connectors.md: one may have any. */
const connectorLogins = () => taken(Object.keys(process.env).filter((name) => name.startsWith('CONNECTOR_')));

/** Variables of settings, which identity reads. */
export const settingVariables = [
  'LICENSE_DEFAULT_TIER',
  'PASSWORD_MIN_LENGTH',
  'SECURITY_REQUIRE_MFA',
  'SESSION_LIFETIME_HOURS',
  'STRIPE_PRICES',
  'STRIPE_WEBHOOK_SECRET',
  'USERS_EMAIL_DOMAINS',
];

/** Where reports are kept, see docs/configuration.md. */
const fileVariables = ['FILES_S3_BUCKET', 'FILES_S3_URL', 'FILES_S3_REGION', 'FILES_S3_ACCESS_KEY', 'FILES_S3_SECRET_KEY'];

/**
 * The environment of each process, as an operator would set it; without a mail server, mails become files in `mailDirectory`, and without
 * a bucket, reports are kept in `filesDirectory`.
 */
export const processEnvironments = (
  ports: Ports,
  secrets: Secrets,
  {
    mailDirectory,
    filesDirectory,
    limits = true,
    commit,
  }: { mailDirectory: string; filesDirectory: string; limits?: boolean; commit?: string },
): ServerEnvironments => {
  const { files } = secrets;
  const addressOf = (server: Service | 'cerbos') => `127.0.0.1:${ports[server]}`;
  const common = {
    NATS_URL: `nats://127.0.0.1:${ports.nats}`,
    CERBOS_ADDRESS: addressOf('cerbos'),
    EVENTS_NAMESPACE: namespace,
    ...(commit === undefined ? {} : { ACCESSOPS_COMMIT: commit }),
    ...taken(passedOn),
  };
  const publicUrl = `http://localhost:${ports.gateway}`;
  const issuer = ports.keycloak ? keycloakIssuer(ports.keycloak) : publicUrl;
  const ofService = (service: Service, more: Record<string, string> = {}) => ({
    ...common,
    LISTEN: addressOf(service),
    DATABASE_URL: postgresUrl(ports.postgres, service, secrets.database[service].app, database),
    NATS_USER: service,
    NATS_PASSWORD: secrets.nats[service],
    PRINCIPAL_JWKS_FILE: files.principalJwks,
    ...more,
  });
  return {
    identity: ofService('identity', {
      ISSUER: issuer,
      PUBLIC_URL: publicUrl,
      IDENTITY_KEY_FILE: files.identityKey,
      PLATFORM_USERS_FILE: files.platformUsers,
      MAIL_DIRECTORY: mailDirectory,
      ...taken(['SMTP_URL', 'MAIL_FROM']),
      ...(ports.keycloak && { IDENTITY_PROVIDER: 'keycloak', KEYCLOAK_CLIENT_SECRET_FILE: files.keycloakClient }),
      ...taken(settingVariables),
    }),
    requests: ofService('requests'),
    approvals: ofService('approvals', { REQUESTS_ADDRESS: addressOf('requests'), PRINCIPAL_KEY_FILE: files.approvalsPrincipalKey }),
    provisioner: ofService('provisioner', {
      IDENTITY_ADDRESS: addressOf('identity'),
      REQUESTS_ADDRESS: addressOf('requests'),
      PRINCIPAL_KEY_FILE: files.provisionerPrincipalKey,
      CREDENTIAL_KEY_FILE: files.credentialKey,
      FILES_DIRECTORY: filesDirectory,
      ...taken([...fileVariables, 'RECONCILE_EVERY_MINUTES']),
      CONNECTOR_POSTGRES_PROD_URL: postgresUrl(ports.postgres, demoDatabaseLogin, secrets.demoDatabase, demoDatabase),
      CONNECTOR_POSTGRES_PROD_TENANTS: 'acme',
      ...connectorLogins(),
    }),
    audit: ofService('audit'),
    gateway: {
      ...common,
      HOST: '127.0.0.1',
      PORT: String(ports.gateway),
      PUBLIC_URL: publicUrl,
      ISSUER: issuer,
      ...Object.fromEntries(services.map((service) => [`${service.toUpperCase()}_ADDRESS`, addressOf(service)])),
      NATS_USER: 'gateway',
      NATS_PASSWORD: secrets.nats.gateway,
      PRINCIPAL_KEY_FILE: files.gatewayPrincipalKey,
      CURSOR_KEY_FILE: files.cursorKey,
      ...taken(passedToGateway),
      ...(limits ? {} : { ACCESSOPS_RATE_LIMIT: 'off' }),
    },
  };
};
