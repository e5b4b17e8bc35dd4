import { callBuckets, createDurations, Histogram, type Registry, stopwatch } from '@accessops/telemetry';

/** Is told that so many events are about to be appended; answers what is to be told whether they were. */
export type WatchAppends = (events: number) => (appended: boolean) => void;

/** Measures what keeps the audit trail up with the platform. */
export const appendMetrics = (registry: Registry): WatchAppends => {
  const observe = createDurations({
    name: 'accessops_audit_append_duration_seconds',
    help: 'How long it took to put events of a tenant into its chain; outcome is appended, or failed: then it is tried again.',
    labelNames: ['outcome'],
    buckets: callBuckets,
    registry,
  });
  const sizes = new Histogram({
    name: 'accessops_audit_append_events',
    help: 'How many events of a tenant were put into its chain at once.',
    buckets: [1, 2, 5, 10, 20, 50, 100, 200],
    registers: [registry],
  });
  return (events) => {
    const ended = stopwatch(observe);
    return (appended) => {
      ended({ outcome: appended ? 'appended' : 'failed' });
      if (appended) sizes.observe(events);
    };
  };
};
