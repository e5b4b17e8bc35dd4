import { Counter, createDurations, type Registry, stopwatch } from '@accessops/telemetry';

/** Is told where decisions come from. */
export interface WatchDecisions {
  /** One was remembered, or was being asked for already. */
  remembered(): void;
  /** Cerbos is asked; answers what is to be told whether it has answered. */
  asking(): (answered: boolean) => void;
}

/** Measures how long Cerbos takes, as those see it who wait for it, and how often it need not be asked. */
export const decisionMetrics = (registry: Registry): WatchDecisions => {
  const decisions = new Counter({
    name: 'accessops_decisions_total',
    help: 'Decisions by where they come from: memory, or Cerbos.',
    labelNames: ['source'],
    registers: [registry],
  });
  const observe = createDurations({
    name: 'accessops_cerbos_duration_seconds',
    help: 'How long Cerbos took to answer; outcome is answered, or failed when it did not, or not in time.',
    labelNames: ['outcome'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registry,
  });
  return {
    remembered: () => decisions.inc({ source: 'memory' }),
    asking: () => {
      const ended = stopwatch(observe);
      decisions.inc({ source: 'cerbos' });
      return (answered) => ended({ outcome: answered ? 'answered' : 'failed' });
    },
  };
};
