import { setTimeout as delay } from 'node:timers/promises';
import { type Context, SpanKind as Kind, ROOT_CONTEXT, type Span as SdkSpan, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from './logger.ts';
import { parseTraceparent, traceparentOf } from './traceparent.ts';
import type { Span, SpanKind, SpanStart, Tracer, TracingConfig } from './tracing.ts';

const kinds: Record<SpanKind, Kind> = {
  server: Kind.SERVER,
  client: Kind.CLIENT,
  producer: Kind.PRODUCER,
  consumer: Kind.CONSUMER,
  internal: Kind.INTERNAL,
};

const samplerOf = ({ sampler, ratio }: TracingConfig): Sampler => {
  const name = sampler.replace('parentbased_', '');
  const root =
    name === 'always_on' ? new AlwaysOnSampler() : name === 'always_off' ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
  return name === sampler ? root : new ParentBasedSampler({ root });
};

const exportTimeoutMs = 5000;
const lastFlushMs = 1000;
const complainEveryMs = 60_000;
// What does not fit while the collector is slow is dropped.
const queue = { maxQueueSize: 4096, maxExportBatchSize: 512, scheduledDelayMillis: 1000, exportTimeoutMillis: exportTimeoutMs };

/** Tells operators, once a minute, of a collector that does not take what it is sent. */
const complaining = (exporter: SpanExporter, log: Logger): SpanExporter => {
  let complainedAt = Number.NEGATIVE_INFINITY;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error && performance.now() - complainedAt > complainEveryMs) {
          complainedAt = performance.now();
          log.warn({ reason: result.error.name }, 'traces cannot be sent');
        }
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
};

const contextOf = (traceparent: string): Context | undefined => {
  const parsed = parseTraceparent(traceparent);
  if (!parsed) return undefined;
  const { traceId, spanId, sampled } = parsed;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  });
};

const spanOf = (span: SdkSpan): Span | undefined => {
  if (!span.isRecording()) return undefined;
  const { traceId, spanId } = span.spanContext();
  return {
    traceparent: traceparentOf({ traceId, spanId, sampled: true }),
    add: (attributes) => {
      span.setAttributes(attributes);
    },
    end: (fault) => {
      if (fault !== undefined) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', fault);
      span.end();
    },
  };
};

/** Sends spans to a collector by OTLP over HTTP, in batches, when there is time. */
export const createTracer = (service: string, config: TracingConfig, log: Logger): Tracer => {
  const url = `${config.endpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = complaining(new OTLPTraceExporter({ url, timeoutMillis: exportTimeoutMs }), log);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.namespace': 'accessops',
      'service.name': config.serviceName ?? service,
      'service.version': config.commitSha,
    }),
    sampler: samplerOf(config),
    spanProcessors: [new BatchSpanProcessor({ exporter, ...queue })],
  });
  const tracer = provider.getTracer('accessops');
  const start = (name: string, context: Context, { kind, attributes, link }: SpanStart) => {
    const linked = link ? trace.getSpanContext(contextOf(link) ?? ROOT_CONTEXT) : undefined;
    return spanOf(tracer.startSpan(name, { kind: kinds[kind], attributes, links: linked ? [{ context: linked }] : [] }, context));
  };
  return {
    begin: (name, parent, options) => start(name, (parent && contextOf(parent)) || ROOT_CONTEXT, options),
    follow: (parent, name, options) => {
      const context = contextOf(parent);
      return context && start(name, context, options);
    },
    close: async () => {
      const over = new AbortController();
      const flushed = provider.shutdown().catch((error: unknown) => log.debug({ err: error }, 'the last traces were not sent'));
      await Promise.race([flushed, delay(lastFlushMs, undefined, { signal: over.signal }).catch(() => undefined)]);
      over.abort();
    },
  };
};
