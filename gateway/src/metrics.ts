import { decisionMetrics, type WatchDecisions } from '@accessops/authz';
import { callMetrics, type WatchCall } from '@accessops/grpc';
import { callBuckets, createDurations, createMetrics, type ObserveDuration, type Registry } from '@accessops/telemetry';

/** What the gateway measures. */
export interface GatewayMetrics {
  registry: Registry;
  observeAnswer: ObserveDuration<'route' | 'method' | 'status'>;
  watchCalls: WatchCall;
  watchDecisions: WatchDecisions;
}

/** The metrics of a gateway. */
export const createGatewayMetrics = (): GatewayMetrics => {
  const registry = createMetrics();
  return {
    registry,
    observeAnswer: createDurations({
      name: 'accessops_http_request_duration_seconds',
      help: 'How long answers took, by route, method and status.',
      labelNames: ['route', 'method', 'status'],
      buckets: callBuckets,
      registry,
    }),
    watchCalls: callMetrics('client', registry),
    watchDecisions: decisionMetrics(registry),
  };
};
