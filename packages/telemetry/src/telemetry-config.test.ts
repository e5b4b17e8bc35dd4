import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { telemetryEnvironment, toTelemetryConfig } from './telemetry-config.ts';

const schema = z.object(telemetryEnvironment);
const read = (env: Record<string, string>) => toTelemetryConfig(schema.parse(env), 'abc123');
const refused = (env: Record<string, string>) => schema.safeParse(env).error?.issues.map(({ path }) => path.join());

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('telemetry', () => {
  test('when it is not configured, then it goes nowhere', () => {
    expect(read({})).toEqual({ tracing: undefined, errors: undefined });
  });

  test('when a collector is named, then everything is recorded that callers have not decided otherwise', () => {
    expect(read(endpoint).tracing).toEqual({
      endpoint: 'http://collector:4318',
      sampler: 'parentbased_always_on',
      ratio: 1,
      serviceName: undefined,
      commitSha: 'abc123',
    });
  });

  test('when a sampler with a ratio is chosen, then it is read', () => {
    const env = {
      ...endpoint,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_SERVICE_NAME: 'edge',
    };
    expect(read(env).tracing).toMatchObject({ sampler: 'parentbased_traceidratio', ratio: 0.25, serviceName: 'edge' });
  });

  test('when Sentry is configured, then the release is the commit', () => {
    const dsn = 'https://key@sentry.test/42';
    expect(read({ SENTRY_DSN: dsn, SENTRY_ENVIRONMENT: 'production' }).errors).toEqual({
      dsn,
      environment: 'production',
      commitSha: 'abc123',
    });
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://collector:4317'],
    ['OTEL_TRACES_SAMPLER', 'sometimes'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
    ['OTEL_TRACES_SAMPLER_ARG', 'half'],
    ['SENTRY_DSN', 'sentry'],
    ['SENTRY_DSN', 'https://sentry.test/42'],
    ['SENTRY_DSN', 'https://key@sentry.test/'],
  ])('when %s is %s, then it is refused by its name', (name, value) => {
    expect(refused({ [name]: value })).toEqual([name]);
  });
});
