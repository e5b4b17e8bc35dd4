import type { Logger } from './logger.ts';

/** Standard samplers of OpenTelemetry, by the names that OTEL_TRACES_SAMPLER takes. */
export const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export interface TracingConfig {
  /** Where a collector takes OTLP over HTTP; `/v1/traces` is put behind it. */
  endpoint: string;
  sampler: (typeof samplers)[number];
  /** Which part of all traces is recorded, for samplers that go by a ratio. */
  ratio: number;
  /** What the process calls itself; by default its own name. */
  serviceName?: string;
  commitSha: string;
}

export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal';

/** Facts for operators. Never a secret, an address of somebody, or a value that somebody has sent. */
export type SpanAttributes = Record<string, string | number | boolean>;

export interface SpanStart {
  kind: SpanKind;
  attributes?: SpanAttributes;
  /** `traceparent` of another trace that has led here as well. */
  link?: string;
}

/** Something that takes time, and is recorded. */
export interface Span {
  /** What is handed to whatever follows from it. */
  readonly traceparent: string;
  add(attributes: SpanAttributes): void;
  /** Ends it; when it was our fault, with a word for what went wrong. */
  end(fault?: string): void;
}

/** Records spans. Whoever has none (nothing is configured) records nothing, and nothing is loaded. */
export interface Tracer {
  /** A span of the trace that `parent` belongs to, or the first of a new one. Undefined: not recorded. */
  begin(name: string, parent: string | undefined, start: SpanStart): Span | undefined;
  /** A span of the trace that `parent` belongs to. Undefined: there is no trace, or it is not recorded. */
  follow(parent: string, name: string, start: SpanStart): Span | undefined;
  /** Sends what is left, for a moment: a collector that does not answer holds up nobody. */
  close(): Promise<void>;
}

/** What records the spans of one process; undefined where no collector is configured. */
export const openTracing = async (service: string, config: TracingConfig | undefined, log: Logger): Promise<Tracer | undefined> => {
  if (!config) return undefined;
  const { createTracer } = await import('./otlp-tracer.ts');
  return createTracer(service, config, log);
};

/** A word for what went wrong, out of a fixed set: the code of an error, or its class. Messages may tell of somebody. */
export const faultOf = (error: unknown): string => {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
};

/** Does something while a span of it is open, if there is one. */
export const during = async <T>(span: Span | undefined, work: () => Promise<T>): Promise<T> => {
  if (!span) return work();
  try {
    const result = await work();
    span.end();
    return result;
  } catch (error) {
    span.end(faultOf(error));
    throw error;
  }
};
