import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { startTraceReceiver, type TraceReceiver, until } from '@accessops/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger, during, openTracing, parseTraceparent, type TracingConfig } from '../src/index.ts';

let receiver: TraceReceiver;
beforeAll(async () => {
  receiver = await startTraceReceiver();
});
afterAll(() => receiver.close());

const open = async (config: Partial<TracingConfig> = {}, lines: string[] = []) => {
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const settings: TracingConfig = {
    endpoint: receiver.endpoint,
    sampler: 'parentbased_always_on',
    ratio: 1,
    commitSha: 'abc123',
    ...config,
  };
  const tracer = await openTracing('audit', settings, createLogger('audit', 'info', destination));
  if (!tracer) throw new Error('there is a collector');
  return tracer;
};

const given = (flags: string) => `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}`;

describe('what is recorded', () => {
  test.each<[TracingConfig['sampler'], number, { root: boolean; sampled: boolean; unsampled: boolean }]>([
    ['parentbased_always_on', 1, { root: true, sampled: true, unsampled: false }],
    ['parentbased_always_off', 1, { root: false, sampled: true, unsampled: false }],
    ['parentbased_traceidratio', 0, { root: false, sampled: true, unsampled: false }],
    ['parentbased_traceidratio', 1, { root: true, sampled: true, unsampled: false }],
    ['always_on', 1, { root: true, sampled: true, unsampled: true }],
    ['always_off', 1, { root: false, sampled: false, unsampled: false }],
    ['traceidratio', 0, { root: false, sampled: false, unsampled: false }],
  ])('when the sampler is %s with %s, then it decides', async (sampler, ratio, expected) => {
    const tracer = await open({ sampler, ratio });
    const decided = {
      root: tracer.begin('x', undefined, { kind: 'server' }) !== undefined,
      sampled: tracer.follow(given('01'), 'x', { kind: 'server' }) !== undefined,
      unsampled: tracer.follow(given('00'), 'x', { kind: 'server' }) !== undefined,
    };
    expect(decided).toEqual(expected);
    await tracer.close();
  });

  test('when there is no trace to follow, then none begins', async () => {
    const tracer = await open();
    expect(tracer.follow('', 'x', { kind: 'client' })).toBeUndefined();
    expect(tracer.follow('nonsense', 'x', { kind: 'client' })).toBeUndefined();
    await tracer.close();
  });

  test('when spans follow from each other, then the collector can tell, and what went wrong', async () => {
    const tracer = await open({ serviceName: 'audit-2' });
    const first = tracer.begin('first', undefined, { kind: 'server', attributes: { 'accessops.code': 'ok' }, link: given('01') });
    const second = tracer.follow(first?.traceparent ?? '', 'second', { kind: 'client' });
    const failing = during(second, () => Promise.reject(Object.assign(new Error('una@acme.test'), { code: 'ECONNREFUSED' })));
    await expect(failing).rejects.toThrow('una@acme.test');
    first?.end();
    await tracer.close();
    // A process that ends waits for them a moment only; here they may take longer.
    const [one, other] = await until(
      () => {
        const found = ['first', 'second'].map((name) => receiver.spans().find((span) => span.name === name));
        return found.every((span) => span !== undefined) && found;
      },
      { what: 'both spans' },
    );
    expect(one).toMatchObject({
      service: 'audit-2',
      kind: 'SERVER',
      parentSpanId: '',
      attributes: { 'accessops.code': 'ok' },
      links: [{ traceId: parseTraceparent(given('01'))?.traceId }],
      isError: false,
    });
    expect(other).toMatchObject({
      kind: 'CLIENT',
      traceId: one?.traceId,
      parentSpanId: one?.spanId,
      attributes: { 'error.type': 'ECONNREFUSED' },
    });
    expect(other?.isError).toBe(true);
    expect(JSON.stringify(other?.attributes)).not.toContain('acme');
  });
});

/** A timer of this process, which goes off after those that were set before it for sooner, however long the machine stands still. */
const later = async (ms: number) => {
  await delay(ms, undefined, { ref: false });
  return 'later';
};

test('when nobody listens at the collector, then spans are dropped, operators are told once, and the stop waits a moment only', async () => {
  const lines: string[] = [];
  const tracer = await open({ endpoint: 'http://127.0.0.1:9' }, lines);
  for (let n = 0; n < 20_000; n++) tracer.begin('x', undefined, { kind: 'internal' })?.end();
  expect(await Promise.race([tracer.close(), later(3000)])).toBeUndefined();
  expect(lines.filter((line) => line.includes('traces cannot be sent')).length).toBeLessThanOrEqual(1);
});
