import { z } from 'zod';
import type { ErrorReportsConfig } from './error-reports.ts';
import { samplers, type TracingConfig } from './tracing.ts';

const isDsn = (text: string): boolean => {
  const { protocol, username, pathname } = URL.canParse(text) ? new URL(text) : new URL('none:');
  return /^https?:$/.test(protocol) && username !== '' && /\/\d+$/.test(pathname);
};

/** What every process can be told of where its traces and errors go, as environment variables. */
export const telemetryEnvironment = {
  /** Where an OpenTelemetry collector takes traces by OTLP over HTTP; without it nothing is traced. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' }).optional(),
  /** Which traces are recorded; `parentbased_…`: of whoever has not been told by a caller. */
  OTEL_TRACES_SAMPLER: z.enum(samplers).default('parentbased_always_on'),
  /** Of a sampler that goes by a ratio: which part, between 0 and 1. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
  /** What the process is called in traces, instead of by its own name. */
  OTEL_SERVICE_NAME: z.string().max(100).optional(),
  /** Where Sentry takes what goes wrong unexpectedly; without it nobody is told. */
  SENTRY_DSN: z.string().refine(isDsn, 'must be a DSN, as https://key@host/project').optional(),
  /** What this installation is called in Sentry. */
  SENTRY_ENVIRONMENT: z.string().max(64).optional(),
};

export interface TelemetryConfig {
  /** Unset: nothing is traced. */
  tracing?: TracingConfig;
  /** Unset: nobody is told. */
  errors?: ErrorReportsConfig;
}

type Read = z.infer<z.ZodObject<typeof telemetryEnvironment>>;

/** Where the telemetry of a process goes, out of its environment as it was read. */
export const toTelemetryConfig = (env: Read, commitSha: string): TelemetryConfig => ({
  tracing: env.OTEL_EXPORTER_OTLP_ENDPOINT
    ? {
        endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
        sampler: env.OTEL_TRACES_SAMPLER,
        ratio: env.OTEL_TRACES_SAMPLER_ARG,
        serviceName: env.OTEL_SERVICE_NAME,
        commitSha,
      }
    : undefined,
  errors: env.SENTRY_DSN ? { dsn: env.SENTRY_DSN, environment: env.SENTRY_ENVIRONMENT, commitSha } : undefined,
});
