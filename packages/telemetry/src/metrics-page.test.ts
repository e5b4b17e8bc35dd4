import { describe, expect, test } from 'vitest';
import { createDurations } from './durations.ts';
import { Counter, createMetrics, Gauge, Registry } from './metrics.ts';
import { metricsPage } from './metrics-page.ts';

const prometheus = 'application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const trace = '0af7651916cd43dd8448eb211c80319c';
const kept = `00-${trace}-b7ad6b7169203331-01`;
const notKept = `00-${trace}-b7ad6b7169203331-00`;

const measured = (traceparent?: string) => {
  const registry = new Registry();
  const observe = createDurations({
    name: 'call_duration_seconds',
    help: 'How long "calls" took\nin \\ all.',
    labelNames: ['route'],
    buckets: [0.1, 1],
    registry,
  });
  observe({ route: 'a"b' }, 0.05, traceparent);
  observe({ route: 'a"b' }, 7, traceparent);
  new Counter({ name: 'things_total', help: 'Things.', registers: [registry] }).inc(3);
  new Gauge({ name: 'level', help: 'Level.', registers: [registry] }).set(Number.NEGATIVE_INFINITY);
  return registry;
};

describe('a page of metrics', () => {
  test('when OpenMetrics is accepted, then calls of traces that are kept point to them', async () => {
    const { type, body } = await metricsPage(measured(kept), prometheus);
    expect(type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(body.replaceAll(/\d{10}(\.\d+)?$/gm, 'AT')).toBe(
      `# TYPE call_duration_seconds histogram
# HELP call_duration_seconds How long \\"calls\\" took\\nin \\\\ all.
call_duration_seconds_bucket{le="0.1",route="a\\"b"} 1 # {trace_id="${trace}"} 0.05 AT
call_duration_seconds_bucket{le="1",route="a\\"b"} 1
call_duration_seconds_bucket{le="+Inf",route="a\\"b"} 2 # {trace_id="${trace}"} 7 AT
call_duration_seconds_sum{route="a\\"b"} 7.05
call_duration_seconds_count{route="a\\"b"} 2
# TYPE things counter
# HELP things Things.
things_total 3
# TYPE level gauge
# HELP level Level.
level -Inf
# EOF
`,
    );
  });

  test.each([undefined, '', notKept])('when the traceparent is %s, then nothing points to it', async (traceparent) => {
    expect((await metricsPage(measured(traceparent), prometheus)).body).not.toContain('trace_id');
  });

  test.each([undefined, '*/*', 'text/plain', 'application/openmetrics-text;q=0, text/plain'])(
    'when %s is accepted, then it is the text format, also after somebody has asked for OpenMetrics',
    async (accept) => {
      const registry = measured(kept);
      await metricsPage(registry, prometheus);
      const { type, body } = await metricsPage(registry, accept);
      expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(body).toContain('# TYPE things_total counter\nthings_total 3\n');
      expect(body).not.toContain('trace_id');
    },
  );

  test('when a process tells of itself, then no name is told twice and every line is a sample or says what it is about', async () => {
    const { body } = await metricsPage(createMetrics(), prometheus);
    const lines = body.split('\n');
    expect(lines.slice(-2)).toEqual(['# EOF', '']);
    const sample = /^[a-z0-9_]+(\{[a-z0-9_]+="[^"]*"(,[a-z0-9_]+="[^"]*")*\})? (-?\d+(\.\d+)?(e[+-]?\d+)?|NaN|[+-]Inf)$/;
    const about = /^# (TYPE [a-z0-9_]+ (counter|gauge|histogram|summary)|HELP [a-z0-9_]+ .+)$/;
    expect(lines.slice(0, -2).filter((line) => !sample.test(line) && !about.test(line))).toEqual([]);
    const types = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
    expect(new Set(types).size).toBe(types.length);
  });
});
