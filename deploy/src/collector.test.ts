import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const address = z.string().regex(/^[\d.]+:\d+$/);
const listener = z.strictObject({ endpoint: address }).optional();

/** As the collector reads it, as far as ours uses it: https://opentelemetry.io/docs/collector/configuration/ */
const schema = z.strictObject({
  receivers: z.strictObject({ otlp: z.strictObject({ protocols: z.strictObject({ grpc: listener, http: listener }) }) }),
  processors: z.strictObject({
    memory_limiter: z.strictObject({ check_interval: z.string().regex(/^\d+(ms|s)$/), limit_mib: z.int().positive() }),
    batch: z.strictObject({}),
  }),
  exporters: z.strictObject({ debug: z.strictObject({ verbosity: z.enum(['basic', 'normal', 'detailed']) }) }),
  service: z.strictObject({
    pipelines: z.strictObject({
      traces: z.strictObject({ receivers: z.array(z.string()), processors: z.array(z.string()), exporters: z.array(z.string()) }),
    }),
  }),
});

describe('the configuration of the OpenTelemetry collector', () => {
  const root = join(import.meta.dirname, '../..');
  const config = schema.parse(parse(readFileSync(join(root, 'deploy/observability/otel-collector.yaml'), 'utf8')));

  it('when a pipeline names a part, then there is one, and none is there for nothing', () => {
    const { receivers, processors, exporters } = config.service.pipelines.traces;
    expect(receivers.toSorted()).toEqual(Object.keys(config.receivers).toSorted());
    expect(processors.toSorted()).toEqual(Object.keys(config.processors).toSorted());
    expect(exporters.toSorted()).toEqual(Object.keys(config.exporters).toSorted());
    // What it cannot take is refused before it is gathered.
    expect(processors[0]).toBe('memory_limiter');
  });

  it('when memory is short, then it refuses before compose ends it', () => {
    const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
      services: Record<string, { deploy: { resources: { limits: { memory: string } } } }>;
    };
    const limit = compose.services['otel-collector']?.deploy.resources.limits.memory ?? '';
    expect(config.processors.memory_limiter.limit_mib).toBeLessThan(Number.parseInt(limit, 10));
    expect(limit).toMatch(/^\d+M$/);
  });
});
