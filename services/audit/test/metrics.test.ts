import { until } from '@accessops/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite(undefined, { METRICS_LISTEN: '127.0.0.1:0' });
});
afterAll(() => suite.close());

const scrape = async () => {
  const body = await (await fetch(`http://${suite.metricsAddress}/metrics`)).text();
  return (name: string) =>
    Number(
      body
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    );
};

test('when events are appended, then it is told how many at once and how long it took, next to what every service tells', async () => {
  await suite.tenantWith(5);
  // Counted once they are committed, which is when the log can be read.
  const read = await until(async () => {
    const scraped = await scrape();
    return scraped('accessops_event_lag_seconds_count{producer="requests"}') === 5 && scraped;
  });
  expect(read('accessops_audit_append_events_sum')).toBe(5);
  expect(read('accessops_audit_append_duration_seconds_count{outcome="appended"}')).toBe(read('accessops_audit_append_events_count'));
  expect(read('accessops_db_connections{state="idle"}') + read('accessops_db_connections{state="used"}')).toBeGreaterThan(0);
  expect(read('accessops_db_connections_max')).toBe(10);
  expect(read('accessops_db_waiting')).toBe(0);
});
