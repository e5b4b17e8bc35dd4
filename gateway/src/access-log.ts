import { createMetrics, Histogram, type Logger, type Registry } from '@accessops/telemetry';
import type { Exchange } from './exchange.ts';

/** Writes down every answer: one line in the log, one observation in the metrics. */
export interface AccessLog {
  registry: Registry;
  /** What writes down the answers of one route: its declared path, never the one that came. */
  of(route: string): RecordAnswer;
}

export type RecordAnswer = (exchange: Exchange, status: number) => void;

/** An access log; its lines are made of fixed fields that hold no secret, so nothing has to be redacted in them. */
export const createAccessLog = (log: Logger): AccessLog => {
  const registry = createMetrics();
  const durations = new Histogram({
    name: 'accessops_http_request_duration_seconds',
    help: 'How long answers took, by route, method and status.',
    labelNames: ['route', 'method', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return {
    registry,
    of: (route) => {
      const lines = log.child({ route }, { redact: [] });
      return ({ requestId, traceId, actor, tenant, method, decisionId, outcome, startedAt }, status) => {
        const durationMs = performance.now() - startedAt;
        durations.observe({ route, method, status }, durationMs / 1000);
        lines.info(
          {
            request_id: requestId,
            trace_id: traceId,
            actor,
            tenant,
            method,
            status,
            decision_id: decisionId,
            outcome,
            duration_ms: Math.round(durationMs * 100) / 100,
          },
          'request',
        );
      };
    },
  };
};
