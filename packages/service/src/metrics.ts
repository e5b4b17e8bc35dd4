import { decisionMetrics, type WatchDecisions } from '@accessops/authz';
import { flowMetrics, type WatchEvents } from '@accessops/events';
import { callMetrics, type WatchCall } from '@accessops/grpc';
import { createMetrics, type Registry } from '@accessops/telemetry';

/** What a service measures from its first call on. */
export interface ServiceMetrics {
  registry: Registry;
  watchCalls: WatchCall;
  watchDecisions: WatchDecisions;
  watchEvents: WatchEvents;
}

/** The metrics of a service; what it measures of its own is added to the registry. */
export const createServiceMetrics = (): ServiceMetrics => {
  const registry = createMetrics();
  return {
    registry,
    watchCalls: callMetrics('server', registry),
    watchDecisions: decisionMetrics(registry),
    watchEvents: flowMetrics(registry),
  };
};
