import { expect, test } from 'vitest';
import { Counter, createMetrics } from './metrics.ts';

test('when several parts live in one process, then each has metrics of its own next to those of the process', async () => {
  const [one, other] = [createMetrics(), createMetrics()];
  new Counter({ name: 'events_total', help: 'Events', registers: [one] }).inc(3);
  expect(await one.metrics()).toContain('events_total 3');
  expect(await other.metrics()).not.toContain('events_total');
  expect(await other.metrics()).toContain('process_resident_memory_bytes');
});
