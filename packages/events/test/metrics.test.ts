import { createMetrics } from '@accessops/telemetry';
import { until } from '@accessops/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Broker, eventMetrics, flowMetrics } from '../src/index.ts';
import { type Party, type Suite, startSuite } from './suite.ts';

let suite: Suite;
beforeEach(async () => {
  suite = await startSuite();
});
afterEach(() => suite.close());

/** Reads one value, as Prometheus would, of a service that listens to the teller. */
const readerOf = ({ outbox }: Party, broker?: Broker) => {
  const registry = createMetrics();
  eventMetrics({ outbox, namespace: suite.namespace, producers: [suite.teller.name], broker: () => broker }, registry);
  return async (name: string): Promise<number | undefined> => {
    const line = (await registry.metrics()).split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.split(' ')[1]);
  };
};

test('when nothing sends an outbox, then the metrics tell how much waits and for how long, until it is sent', async () => {
  const read = readerOf(suite.teller);
  expect([await read('accessops_outbox_unsent'), await read('accessops_outbox_oldest_unsent_seconds')]).toEqual([0, 0]);
  await suite.tell('r-1', 'APPROVED', 'ACTIVE');
  expect(await read('accessops_outbox_unsent')).toBe(2);
  expect(await read('accessops_outbox_oldest_unsent_seconds')).toBeGreaterThan(0);
  await suite.startRelay();
  await until(async () => (await read('accessops_outbox_unsent')) === 0, { what: 'all sent' });
  expect(await read('accessops_outbox_oldest_unsent_seconds')).toBe(0);
});

test('when an event cannot be handled, then it waits, and is counted once it is put aside', async () => {
  await suite.startRelay();
  const read = readerOf(suite.listener, await suite.own());
  const waiting = `accessops_events_waiting{producer="${suite.teller.name}"}`;
  const attempt = Promise.withResolvers<void>();
  suite.beforeClose(attempt.resolve);
  await suite.listen(
    async () => {
      await attempt.promise;
      throw new Error('this cannot be handled');
    },
    { backOffMs: [] },
  );
  await suite.tell('r-1', 'ACTIVE');
  await until(async () => (await read(waiting)) === 1, { what: 'it waits' });
  expect(await read('accessops_dead_letters')).toBe(0);
  attempt.resolve();
  await until(async () => (await read('accessops_dead_letters')) === 1, { what: 'put aside' });
  await until(async () => (await read(waiting)) === 0, { what: 'nothing waits' });
});

test('when events flow, then it is told what was sent, how long after it happened it was handled, and how often that failed', async () => {
  const registry = createMetrics();
  const watch = flowMetrics(registry);
  await suite.startRelay({ watch });
  let failures = 2;
  await suite.listen(
    async () => {
      if (failures-- > 0) throw new Error('not yet');
    },
    { backOffMs: [1, 1], watch },
  );
  await suite.tell('r-1', 'ACTIVE');
  const read = async (name: string, labels: string) => {
    const line = (await registry.metrics()).split('\n').find((one) => one.startsWith(`${name}{${labels}} `));
    return line && Number(line.split(' ')[1]);
  };
  const producer = `producer="${suite.teller.name}"`;
  await until(async () => (await read('accessops_event_lag_seconds_count', producer)) === 1, { what: 'it is handled' });
  expect(await read('accessops_event_lag_seconds_sum', producer)).toBeGreaterThan(0);
  expect(await read('accessops_event_failures_total', producer)).toBeGreaterThan(0);
  const sent = (await registry.metrics()).match(/^accessops_events_sent_total\{type="\w+"\} 1$/gm);
  expect(sent).toHaveLength(1);
});

test('when NATS is not there, then nothing is told of what waits there, and all else is', async () => {
  const read = readerOf(suite.listener);
  expect(await read('accessops_dead_letters')).toBe(0);
  expect(await read(`accessops_events_waiting{producer="${suite.teller.name}"}`)).toBeUndefined();
});
