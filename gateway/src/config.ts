import { readFileSync } from 'node:fs';
import { ConfigError } from '@accessops/telemetry';
import type { JWK } from 'jose';
import { z } from 'zod';

const address = z.string().regex(/^.+:\d+$/, 'must be host:port');

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

const environment = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535),
  IDENTITY_ADDRESS: address,
  REQUESTS_ADDRESS: address,
  APPROVALS_ADDRESS: address,
  PROVISIONER_ADDRESS: address,
  AUDIT_ADDRESS: address,
  CERBOS_ADDRESS: address,
  NATS_URL: z.string().startsWith('nats'),
  NATS_USER: z.string().min(1),
  NATS_PASSWORD: z.string().min(1),
  EVENTS_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9_-]+$/)
    .default('accessops'),
  /** The issuer whose access tokens are accepted. */
  ISSUER: z.string().min(1),
  /** Private Ed25519 JWK that signs principals; `kid` is gateway. */
  PRINCIPAL_KEY_FILE: file('a private Ed25519 JWK', (content): JWK => privateJwk.parse(JSON.parse(content))),
  /** 32 bytes in base64 that authenticate cursors. */
  CURSOR_KEY_FILE: file('32 bytes in base64', key),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

export const serviceNames = ['identity', 'requests', 'approvals', 'provisioner', 'audit'] as const;

export type ServiceName = (typeof serviceNames)[number];

export interface GatewayConfig {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** host:port of each service. */
  services: Record<ServiceName, string>;
  cerbosAddress: string;
  nats: { url: string; user: string; password: string };
  namespace: string;
  issuer: string;
  principalKey: JWK;
  cursorKey: Buffer;
  logLevel: string;
}

/** Reads the configuration out of environment variables; throws a ConfigError that lists every problem. */
export const configFrom = (env: Record<string, string | undefined>): GatewayConfig => {
  const { success, data, error } = environment.safeParse(env);
  if (!success) throw new ConfigError(error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
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
    nats: { url: data.NATS_URL, user: data.NATS_USER, password: data.NATS_PASSWORD },
    namespace: data.EVENTS_NAMESPACE,
    issuer: data.ISSUER,
    principalKey: data.PRINCIPAL_KEY_FILE,
    cursorKey: data.CURSOR_KEY_FILE,
    logLevel: data.LOG_LEVEL,
  };
};
