type Unit = 'short' | 'reqps' | 'ops' | 's' | 'ms' | 'bytes' | 'percentunit';

interface Panel {
  title: string;
  unit: Unit;
  /** What is drawn: legend → PromQL. */
  lines: Record<string, string>;
  /** Above it, the number is red: for what should be 0. */
  alarm?: number;
}

interface Dashboard {
  title: string;
  panels: Panel[];
}

const answers = 'accessops_http_request_duration_seconds';
/** What Cerbos itself measures of its decisions. */
export const decisions = 'cerbos_dev_engine_check_latency_milliseconds';
const quantile = (q: number, of: string) => `histogram_quantile(${q}, sum by (le) (rate(${of}_bucket[5m])))`;
const quantiles = (of: string) => ({ median: quantile(0.5, of), '95 %': quantile(0.95, of), '99 %': quantile(0.99, of) });

/** The dashboards of Grafana, by name. `npm run generate` writes them to grafana/dashboards. */
const dashboards: Record<string, Dashboard> = {
  access: {
    title: 'Access',
    panels: [
      { title: 'Access past its end', unit: 'short', alarm: 1, lines: { grants: 'max(accessops_grants_past_expiry)' } },
      { title: 'Access that targets do not let go of', unit: 'short', alarm: 1, lines: { grants: 'max(accessops_grants_revoke_failed)' } },
      {
        title: 'Resources that cannot be compared',
        unit: 'short',
        alarm: 1,
        lines: { resources: 'max(accessops_reconciliations_failed)' },
      },
      { title: 'Jobs that have failed', unit: 'short', alarm: 1, lines: { '{{kind}}': 'max by (kind) (accessops_jobs_failed)' } },
      { title: 'Jobs that wait or run', unit: 'short', lines: { '{{queue}} {{status}}': 'max by (queue, status) (accessops_jobs_open)' } },
    ],
  },
  events: {
    title: 'Events',
    panels: [
      { title: 'Put aside', unit: 'short', alarm: 1, lines: { '{{job}}': 'max by (job) (accessops_dead_letters)' } },
      {
        title: 'Age of the oldest that is not sent',
        unit: 's',
        lines: { '{{job}}': 'max by (job) (accessops_outbox_oldest_unsent_seconds)' },
      },
      { title: 'Not sent', unit: 'short', lines: { '{{job}}': 'max by (job) (accessops_outbox_unsent)' } },
      {
        title: 'Not handled',
        unit: 'short',
        lines: { '{{producer}} → {{job}}': 'max by (job, producer) (accessops_events_waiting)' },
      },
    ],
  },
  gateway: {
    title: 'Gateway',
    panels: [
      { title: 'Calls per second, by status', unit: 'reqps', lines: { '{{status}}': `sum by (status) (rate(${answers}_count[1m]))` } },
      {
        title: 'Calls that fail',
        unit: 'percentunit',
        lines: { '5xx': `sum(rate(${answers}_count{status=~"5.."}[5m])) / sum(rate(${answers}_count[5m]))` },
      },
      { title: 'How long answers take', unit: 's', lines: quantiles(answers) },
      {
        title: 'The slowest routes (95 %)',
        unit: 's',
        lines: { '{{method}} {{route}}': `topk(10, histogram_quantile(0.95, sum by (method, route, le) (rate(${answers}_bucket[5m]))))` },
      },
      {
        title: 'The busiest routes',
        unit: 'reqps',
        lines: { '{{method}} {{route}}': `topk(10, sum by (method, route) (rate(${answers}_count[5m])))` },
      },
      {
        title: 'Refused calls, by route',
        unit: 'reqps',
        lines: { '{{route}}': `sum by (route) (rate(${answers}_count{status=~"4.."}[5m]))` },
      },
    ],
  },
  processes: {
    title: 'Processes',
    panels: [
      { title: 'Instances that answer', unit: 'short', lines: { '{{job}}': 'sum by (job) (up)' } },
      { title: 'Processors in use', unit: 'short', lines: { '{{job}} {{instance}}': 'rate(process_cpu_seconds_total[5m])' } },
      { title: 'Memory', unit: 'bytes', lines: { '{{job}} {{instance}}': 'process_resident_memory_bytes' } },
      { title: 'Heap', unit: 'bytes', lines: { '{{job}} {{instance}}': 'nodejs_heap_size_used_bytes' } },
      { title: 'Lag of the event loop (99 %)', unit: 's', lines: { '{{job}} {{instance}}': 'nodejs_eventloop_lag_p99_seconds' } },
      {
        title: 'Garbage collection',
        unit: 'percentunit',
        lines: { '{{job}} {{instance}}': 'sum by (job, instance) (rate(nodejs_gc_duration_seconds_sum[5m]))' },
      },
      { title: 'Starts within an hour', unit: 'short', lines: { '{{job}} {{instance}}': 'changes(process_start_time_seconds[1h])' } },
      { title: 'Open files', unit: 'short', lines: { '{{job}} {{instance}}': 'process_open_fds' } },
    ],
  },
};

const columns = 2;
const size = { w: 24 / columns, h: 8 };

const panelDocument = ({ title, unit, lines, alarm }: Panel, index: number) => ({
  id: index + 1,
  title,
  type: alarm === undefined ? 'timeseries' : 'stat',
  datasource: { type: 'prometheus', uid: 'prometheus' },
  gridPos: { x: (index % columns) * size.w, y: Math.floor(index / columns) * size.h, ...size },
  fieldConfig: {
    defaults: {
      unit,
      min: 0,
      ...(alarm !== undefined && {
        color: { mode: 'thresholds' },
        thresholds: {
          mode: 'absolute',
          steps: [
            { color: 'green', value: null },
            { color: 'red', value: alarm },
          ],
        },
      }),
    },
    overrides: [],
  },
  targets: Object.entries(lines).map(([legendFormat, expr], line) => ({ refId: String.fromCharCode(65 + line), expr, legendFormat })),
});

/** What Grafana reads of each dashboard, by name. */
export const dashboardDocuments = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(dashboards).map(([name, { title, panels }]) => {
      const document = {
        uid: `accessops-${name}`,
        title,
        schemaVersion: 41,
        refresh: '15s',
        time: { from: 'now-1h', to: 'now' },
        panels: panels.map(panelDocument),
      };
      return [name, `${JSON.stringify(document, undefined, 2)}\n`];
    }),
  );
