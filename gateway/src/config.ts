import { readFileSync } from 'node:fs';
import {
  type Deployment,
  deploymentOf,
  hostAndPort,
  readEnvironment,
  type TelemetryConfig,
  telemetryEnvironment,
  toTelemetryConfig,
} from '@accessops/telemetry';
import { type TlsIdentity, tlsFields, tlsIdentityOf, tlsProblems } from '@accessops/tls';
import type { JWK } from 'jose';
import { z } from 'zod';
import { parseRange } from './front-door/client-address.ts';
import type { LimitsConfig } from './front-door/limits.ts';

/** The content of a file, made into something by `read`; what goes wrong names the file, never its content. */
const file = <T>(what: string, read: (content: string) => T) =>
  z.string().transform((path, context): T => {
    try {
      return read(readFileSync(path, 'utf8'));
    } catch {
      context.addIssue({ code: 'custom', message: `file ${path} must hold ${what}` });
      return z.NEVER;
    }
  });

const privateJwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), kid: z.string().min(1), x: z.string(), d: z.string() });

const key = (content: string): Buffer => {
  const bytes = Buffer.from(content.trim(), 'base64');
  if (bytes.length !== 32) throw new Error('not 32 bytes');
  return bytes;
};

const list = (what: string, isGood: (item: string) => boolean) =>
  z
    .string()
    .default('')
    .transform((text, context): string[] => {
      const items = text.split(',').map((item) => item.trim());
      const named = items.filter((item) => item !== '');
      for (const item of named) if (!isGood(item)) context.addIssue({ code: 'custom', message: `${item} is no ${what}` });
      return named;
    });

const isRange = (text: string): boolean => {
  try {
    parseRange(text);
    return true;
  } catch {
    return false;
  }
};

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

const milliseconds = (byDefault: number) => z.coerce.number().int().min(10).max(600_000).default(byDefault);
const perMinute = (byDefault: number) => z.coerce.number().int().min(1).max(1_000_000_000).default(byDefault);

/** What the gateway is told. */
export const environment = z.object({
  /** Address to listen at; `0.0.0.0` for all of the machine. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** Port to listen at; 0 takes a free one. */
  PORT: z.coerce.number().int().min(0).max(65_535),
  /** host:port of identity. */
  IDENTITY_ADDRESS: hostAndPort,
  /** host:port of requests. */
  REQUESTS_ADDRESS: hostAndPort,
  /** host:port of approvals. */
  APPROVALS_ADDRESS: hostAndPort,
  /** host:port of provisioner. */
  PROVISIONER_ADDRESS: hostAndPort,
  /** host:port of audit. */
  AUDIT_ADDRESS: hostAndPort,
  /** host:port of the Cerbos PDP, `tls://host:port` by TLS. */
  CERBOS_ADDRESS: hostAndPort,
  /** How long Cerbos may take to decide, and identity to tell who calls; after that they count as down. */
  DECISION_TIMEOUT_MS: milliseconds(800),
  /** How long a service may take to answer a call, where the call does not take longer by its nature; after that it counts as down. */
  CALL_TIMEOUT_MS: milliseconds(15_000),
  /** Address of NATS: `nats://host:4222`, `tls://host:4222` by TLS; the client learns of the other servers of a cluster itself. */
  NATS_URL: z.string().regex(/^(nats|tls):\/\//, 'must begin with nats:// or tls://'),
  /** Its login at NATS. */
  NATS_USER: z.string().min(1),
  /** Password of that login. */
  NATS_PASSWORD: z.string().min(1),
  /** First part of all subjects and stream names. */
  EVENTS_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9_-]+$/)
    .default('accessops'),
  /** The issuer whose access tokens are accepted; identity has the same. */
  ISSUER: z.string().min(1),
  /** Private Ed25519 JWK that signs principals; `kid` is gateway. */
  PRINCIPAL_KEY_FILE: file('a private Ed25519 JWK', (content): JWK => privateJwk.parse(JSON.parse(content))),
  /** 32 bytes in base64 that authenticate cursors. */
  CURSOR_KEY_FILE: file('32 bytes in base64', key),
  /** Where people find the gateway: pages from there are its own. */
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ without: 'Pages of the gateway cannot sign in' }),
  /** In production browsers are told to keep to HTTPS (`Strict-Transport-Security`). */
  ACCESSOPS_ENV: z.enum(['development', 'production']).default('development'),
  /** Off: neither calls nor attempts to sign in are counted; for load tests. */
  ACCESSOPS_RATE_LIMIT: z.enum(['on', 'off']).default('on'),
  /** Calls a minute of one user. */
  RATE_LIMIT_USER: perMinute(3000),
  /** Calls a minute of all users of a tenant together. */
  RATE_LIMIT_TENANT: perMinute(15_000),
  /** Calls a minute without a good token from one address. */
  RATE_LIMIT_ADDRESS: perMinute(3000),
  /** A Redis or Valkey in which all gateways count together. */
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be a redis:// or rediss:// address')
    .optional()
    .meta({ without: 'Several gateways count calls each by itself' }),
  /** How long it may take to count; after that calls are counted in memory. */
  REDIS_TIMEOUT_MS: milliseconds(500),
  /** Addresses and networks (CIDR) whose `X-Forwarded-For` is believed, separated by commas. */
  TRUSTED_PROXIES: list('address or network', isRange),
  /** Origins whose pages may use the API, separated by commas. */
  CORS_ORIGINS: list('origin like https://console.example.com', isOrigin),
  /** How long the headers of a request may take. */
  HEADERS_TIMEOUT_MS: milliseconds(10_000),
  /** How long a whole request may take to arrive. */
  REQUEST_TIMEOUT_MS: milliseconds(30_000),
  /** How long a connection may be idle between two requests. */
  IDLE_TIMEOUT_MS: milliseconds(65_000),
  /** host:port at which `GET /metrics` is answered, and nowhere else then; without it the API answers it, to everybody. */
  METRICS_LISTEN: hostAndPort.optional(),
  /** How long it still serves when it is told to stop, asking clients to connect anew: more than they are silent between two requests. */
  DRAIN_MS: z.coerce.number().int().min(0).max(60_000).default(300),
  /** The commit that this was built from. */
  ACCESSOPS_COMMIT: z.string().min(1).optional().meta({ without: 'Nobody can tell which version runs' }),
  ...tlsFields,
  /** From which level on something is logged. */
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  ...telemetryEnvironment,
});

export const serviceNames = ['identity', 'requests', 'approvals', 'provisioner', 'audit'] as const;

export type ServiceName = (typeof serviceNames)[number];

/** In milliseconds. */
export interface Timeouts {
  headersMs: number;
  requestMs: number;
  idleMs: number;
  /** From when it is told to stop until it does. */
  drainMs: number;
}

export interface GatewayConfig {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** host:port of each service. */
  services: Record<ServiceName, string>;
  cerbosAddress: string;
  decisionTimeoutMs: number;
  callTimeoutMs: number;
  nats: { url: string; user: string; password: string };
  namespace: string;
  issuer: string;
  principalKey: JWK;
  cursorKey: Buffer;
  /** Unset: not known. */
  publicOrigin: string | undefined;
  production: boolean;
  /** Unset: there are none. */
  limits: LimitsConfig | undefined;
  redisUrl: string | undefined;
  redisTimeoutMs: number;
  trustedProxies: string[];
  corsOrigins: string[];
  timeouts: Timeouts;
  /** Unset: without TLS. */
  tls: TlsIdentity | undefined;
  /** host:port; unset: with the API. */
  metricsListen: string | undefined;
  logLevel: string;
  deployment: Deployment;
  telemetry: TelemetryConfig;
}

/** Reads the configuration out of environment variables, or of the files that `<NAME>_FILE` names; throws a ConfigError that lists every problem. */
export const configFrom = (env: Record<string, string | undefined>): GatewayConfig => {
  const data = readEnvironment(environment, env, (given) => tlsProblems(given, 'gateway'));
  const deployment = deploymentOf(environment.shape, data);
  return {
    host: data.HOST,
    port: data.PORT,
    services: {
      identity: data.IDENTITY_ADDRESS,
      requests: data.REQUESTS_ADDRESS,
      approvals: data.APPROVALS_ADDRESS,
      provisioner: data.PROVISIONER_ADDRESS,
      audit: data.AUDIT_ADDRESS,
    },
    cerbosAddress: data.CERBOS_ADDRESS,
    decisionTimeoutMs: data.DECISION_TIMEOUT_MS,
    callTimeoutMs: data.CALL_TIMEOUT_MS,
    nats: { url: data.NATS_URL, user: data.NATS_USER, password: data.NATS_PASSWORD },
    namespace: data.EVENTS_NAMESPACE,
    issuer: data.ISSUER,
    principalKey: data.PRINCIPAL_KEY_FILE,
    cursorKey: data.CURSOR_KEY_FILE,
    publicOrigin: data.PUBLIC_URL && new URL(data.PUBLIC_URL).origin,
    production: data.ACCESSOPS_ENV === 'production',
    limits:
      data.ACCESSOPS_RATE_LIMIT === 'off'
        ? undefined
        : { user: data.RATE_LIMIT_USER, tenant: data.RATE_LIMIT_TENANT, address: data.RATE_LIMIT_ADDRESS },
    redisUrl: data.REDIS_URL,
    redisTimeoutMs: data.REDIS_TIMEOUT_MS,
    trustedProxies: data.TRUSTED_PROXIES,
    corsOrigins: data.CORS_ORIGINS,
    timeouts: {
      headersMs: data.HEADERS_TIMEOUT_MS,
      requestMs: data.REQUEST_TIMEOUT_MS,
      idleMs: data.IDLE_TIMEOUT_MS,
      drainMs: data.DRAIN_MS,
    },
    tls: tlsIdentityOf(data),
    metricsListen: data.METRICS_LISTEN,
    logLevel: data.LOG_LEVEL,
    deployment,
    telemetry: toTelemetryConfig(data, deployment.commitSha),
  };
};
