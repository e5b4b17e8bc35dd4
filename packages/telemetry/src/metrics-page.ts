import { Registry } from 'prom-client';
import { openMetrics } from './open-metrics.ts';

/** What is measured, in the format that was asked for. */
export interface MetricsPage {
  type: string;
  body: string;
}

const asksForOpenMetrics = (accept: string): boolean =>
  accept.split(',').some((range) => /^\s*application\/openmetrics-text\b/.test(range) && !/;\s*q=0(\.0*)?\s*$/.test(range));

/** Answers a scrape: OpenMetrics, which has exemplars, for who accepts it (header `Accept`), Prometheus' text format for everybody else. */
export const metricsPage = async (registry: Registry, accept = ''): Promise<MetricsPage> =>
  asksForOpenMetrics(accept)
    ? { type: Registry.OPENMETRICS_CONTENT_TYPE, body: await openMetrics(registry) }
    : { type: Registry.PROMETHEUS_CONTENT_TYPE, body: await registry.metrics() };
