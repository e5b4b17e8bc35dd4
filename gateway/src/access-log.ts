import type { Logger, ObserveDuration } from '@accessops/telemetry';
import type { Exchange } from './exchange.ts';

/** Writes down every answer: one line in the log, one observation in the metrics. */
export interface AccessLog {
  /** What writes down the answers of one route: its declared path, never the one that came. */
  of(route: string): RecordAnswer;
}

export type RecordAnswer = (exchange: Exchange, status: number) => void;

/** An access log; its lines are made of fixed fields that hold no secret, so nothing has to be redacted in them. */
export const createAccessLog = (log: Logger, observe: ObserveDuration<'route' | 'method' | 'status'>): AccessLog => ({
  of: (route) => {
    const lines = log.child({ route }, { redact: [] });
    return ({ requestId, traceId, traceparent, actor, tenant, method, decisionId, policyVersion, outcome, startedAt }, status) => {
      const durationMs = performance.now() - startedAt;
      observe({ route, method, status }, durationMs / 1000, traceparent);
      lines.info(
        {
          request_id: requestId,
          trace_id: traceId,
          actor,
          tenant,
          method,
          status,
          decision_id: decisionId,
          policy_version: policyVersion,
          outcome,
          duration_ms: Math.round(durationMs * 100) / 100,
        },
        'request',
      );
    };
  },
});
