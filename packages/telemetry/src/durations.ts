import { Histogram, type Registry } from 'prom-client';
import { parseTraceparent } from './traceparent.ts';

/** How long something takes, by labels that have few values: no identifiers, no tenants. */
export interface DurationsOptions<L extends string> {
  /** Ends in `_seconds`. */
  name: string;
  help: string;
  labelNames?: readonly L[];
  /** Seconds, ascending. */
  buckets: number[];
  registry: Registry;
}

/** Counts one duration in, in seconds. One of a trace that is kept (W3C `traceparent` with the flag "sampled") points to it. */
export type ObserveDuration<L extends string> = (labels: Record<L, string | number>, seconds: number, traceparent?: string) => void;

/** From what a cache answers to what somebody gives up on. */
export const callBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const noExemplar = Object.freeze({});

const exemplarOf = (traceparent: string): Record<string, string> => {
  const context = traceparent === '' ? undefined : parseTraceparent(traceparent);
  return context?.sampled ? { trace_id: context.traceId } : noExemplar;
};

/** Takes the time from now on; what it answers counts it in. */
export const stopwatch = <L extends string>(
  observe: ObserveDuration<L>,
): ((labels: Record<L, string | number>, traceparent?: string) => void) => {
  const startedAt = performance.now();
  return (labels, traceparent) => observe(labels, (performance.now() - startedAt) / 1000, traceparent);
};

/** Adds a histogram of durations to a registry. */
export const createDurations = <L extends string = never>({
  registry,
  labelNames = [],
  ...options
}: DurationsOptions<L>): ObserveDuration<L> => {
  const histogram = new Histogram<L>({ ...options, labelNames, enableExemplars: true, registers: [] });
  // Afterwards: prom-client refuses exemplars in a registry that answers the text format, too.
  registry.registerMetric(histogram);
  return (labels, seconds, traceparent = '') => {
    histogram.observe({ labels, value: seconds, exemplarLabels: exemplarOf(traceparent) as Partial<Record<L, string>> });
  };
};
