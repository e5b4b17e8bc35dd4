import { poolMetrics } from '@accessops/db';
import { eventMetrics } from '@accessops/events';
import { createServiceMetrics } from '@accessops/service';
import type { Registry } from '@accessops/telemetry';
import { certificateMetric } from '@accessops/tls';
import { createGatewayMetrics } from '../../gateway/src/metrics.ts';
import { appendMetrics } from '../../services/audit/src/metrics.ts';
import { attemptMetrics } from '../../services/provisioner/src/jobs/attempt-metrics.ts';
import { provisionerMetrics } from '../../services/provisioner/src/metrics.ts';

// The database, and whatever else they look at, is asked only when somebody reads them.
const nothing = undefined as never;

const serviceRegistry = (): Registry => {
  const { registry } = createServiceMetrics();
  const outbox = { orm: nothing, service: 'none', tells: [], wake: () => undefined };
  eventMetrics({ outbox, namespace: 'none', producers: [], broker: () => undefined }, registry);
  poolMetrics(nothing, registry);
  certificateMetric(nothing, registry);
  return registry;
};

/** The metrics of each process, as the processes themselves make them. */
export const processMetrics = () => {
  const provisioner = serviceRegistry();
  provisionerMetrics({ orm: nothing }, provisioner);
  attemptMetrics(provisioner);
  const audit = serviceRegistry();
  appendMetrics(audit);
  const { registry: gateway } = createGatewayMetrics();
  certificateMetric(nothing, gateway);
  return { gateway, services: serviceRegistry(), provisioner, audit };
};
