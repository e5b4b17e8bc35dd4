import { readFileSync } from 'node:fs';
import type { Service } from '@accessops/events';
import {
  type Deployment,
  deploymentOf,
  type EnvironmentField,
  hostAndPort,
  readEnvironment,
  type TelemetryConfig,
  telemetryEnvironment,
  toTelemetryConfig,
} from '@accessops/telemetry';
import { databaseAddressProblem, type TlsIdentity, tlsFields, tlsIdentityOf, tlsProblems } from '@accessops/tls';
import { z } from 'zod';

const jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown()).and(z.object({ kty: z.string() }))) });

/** A file whose content is JSON of a certain shape. What is wrong with it is told without its content: it may be a key. */
export const jsonFile = <T extends z.ZodType>(shape: T) =>
  z.string().transform((path, ctx): z.infer<T> => {
    const refuse = (problem: string): never => {
      ctx.addIssue({ code: 'custom', message: `file ${path} ${problem}` });
      return z.NEVER;
    };
    let content: unknown;
    try {
      content = JSON.parse(readFileSync(path, 'utf8'));
    } catch (error) {
      return refuse(error instanceof SyntaxError ? 'is not JSON' : 'cannot be read');
    }
    const { success, data, error } = shape.safeParse(content);
    if (success) return data;
    for (const issue of error.issues) refuse(`at /${issue.path.map(String).join('/')}: ${issue.message}`);
    return z.NEVER;
  });

/** A file that holds 32 random bytes in base64. */
export const keyFile = z.string().transform((path, ctx): Buffer => {
  try {
    const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
    if (key.length === 32) return key;
    ctx.addIssue({ code: 'custom', message: `file ${path} must hold 32 bytes in base64` });
  } catch {
    ctx.addIssue({ code: 'custom', message: `file ${path} cannot be read` });
  }
  return z.NEVER;
});

/** What every service is configured with, as environment variables. */
export const serviceEnvironment = z.object({
  /** host:port of the gRPC server. */
  LISTEN: hostAndPort,
  /** The service's own login: `postgres://user:password@host:port/database`; with `?sslmode=verify-full` it is called by TLS. */
  DATABASE_URL: z.string().startsWith('postgres'),
  /** Address of NATS: `nats://host:4222`, `tls://host:4222` by TLS; the client learns of the other servers of a cluster itself. */
  NATS_URL: z.string().regex(/^(nats|tls):\/\//, 'must begin with nats:// or tls://'),
  /** Its login at NATS: the name of the service. */
  NATS_USER: z.string().min(1),
  /** Password of that login. */
  NATS_PASSWORD: z.string().min(1),
  /** How many servers of a NATS cluster hold each stream that is made. */
  NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
  /** host:port of the Cerbos PDP, `tls://host:port` by TLS. */
  CERBOS_ADDRESS: hostAndPort,
  /** How long Cerbos may take to decide, and `requests` to answer `approvals` when this is more than 5000; after that they count as down. */
  DECISION_TIMEOUT_MS: z.coerce.number().int().min(10).max(60_000).default(800),
  /** Public Ed25519 JWKs of the processes that vouch for principals; `kid` is the name of the process. */
  PRINCIPAL_JWKS_FILE: jsonFile(jwks),
  /** First part of all subjects and stream names. */
  EVENTS_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9_-]+$/)
    .default('accessops'),
  /** The commit that this was built from. */
  ACCESSOPS_COMMIT: z.string().min(1).optional().meta({ without: 'Nobody can tell which version runs' }),
  /** host:port at which `GET /metrics`, `/health`, `/livez` and `/readyz` are answered; without it, nowhere. */
  METRICS_LISTEN: hostAndPort.optional(),
  ...tlsFields,
  /** From which level on something is logged. */
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  ...telemetryEnvironment,
});

export interface ServiceConfig {
  listen: string;
  metricsListen?: string;
  databaseUrl: string;
  nats: { url: string; user: string; password: string; replicas?: number };
  cerbosAddress: string;
  decisionTimeoutMs: number;
  principalJwks: z.infer<typeof jwks>;
  /** Unset: without TLS. */
  tls?: TlsIdentity;
  namespace: string;
  logLevel: string;
  deployment: Deployment;
  telemetry: TelemetryConfig;
}

/** Reads the environment of a service by its schema; `check` finds more. Throws a ConfigError that lists every problem. */
export const readServiceEnvironment = <T extends z.ZodObject>(
  name: Service,
  schema: T,
  env: Record<string, string | undefined>,
  check: (given: Record<string, string | undefined>) => string[] = () => [],
): z.infer<T> =>
  readEnvironment(schema, env, (given) => {
    const address = databaseAddressProblem(given.DATABASE_URL ?? '');
    return [...(address ? [`DATABASE_URL: ${address}`] : []), ...tlsProblems(given, name), ...check(given)];
  });

/** The common part of a service's configuration out of its environment, as parsed by a schema with these fields. */
export const toServiceConfig = (fields: Record<string, EnvironmentField>, env: z.infer<typeof serviceEnvironment>): ServiceConfig => {
  const deployment = deploymentOf(fields, env);
  return {
    listen: env.LISTEN,
    metricsListen: env.METRICS_LISTEN,
    databaseUrl: env.DATABASE_URL,
    nats: { url: env.NATS_URL, user: env.NATS_USER, password: env.NATS_PASSWORD, replicas: env.NATS_REPLICAS },
    cerbosAddress: env.CERBOS_ADDRESS,
    decisionTimeoutMs: env.DECISION_TIMEOUT_MS,
    principalJwks: env.PRINCIPAL_JWKS_FILE,
    tls: tlsIdentityOf(env),
    namespace: env.EVENTS_NAMESPACE,
    logLevel: env.LOG_LEVEL,
    deployment,
    telemetry: toTelemetryConfig(env, deployment.commitSha),
  };
};
