import type { Dashboard as GrafanaDashboard, Panel as GrafanaPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';

/** What Grafana's own model looks like as JSON. */
type Written<T> = T extends string
  ? `${T}`
  : T extends (infer Item)[]
    ? Written<Item>[]
    : T extends object
      ? { [K in keyof T as T[K] extends () => void ? never : K]: Written<T[K]> }
      : T;

type PanelDocument = Written<GrafanaPanel> & { targets: Written<Dataquery>[] };
type DashboardDocument = Written<GrafanaDashboard> & { panels: PanelDocument[] };

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
const calls = 'accessops_rpc_server_duration_seconds';
const ownCalls = 'accessops_rpc_client_duration_seconds';
const cerbos = 'accessops_cerbos_duration_seconds';
const lag = 'accessops_event_lag_seconds';
const attempts = 'accessops_job_attempt_duration_seconds';
const appends = 'accessops_audit_append_duration_seconds';
/** What Cerbos itself measures of its decisions. */
export const decisions = 'cerbos_dev_engine_check_latency_milliseconds';

const perSecond = (what: string, by: string) => `sum by (${by}) (rate(${what}[5m]))`;
const quantile = (q: number, of: string, ...by: string[]) =>
  `histogram_quantile(${q}, sum by (${[...by, 'le'].join(', ')}) (rate(${of}_bucket[5m])))`;
const quantiles = (of: string) => ({ median: quantile(0.5, of), '95 %': quantile(0.95, of), '99 %': quantile(0.99, of) });
const failing = `sum(rate(${answers}_count{status=~"5.."}[5m])) / sum(rate(${answers}_count[5m]))`;
const top = (query: string) => `topk(10, ${query})`;

/** The dashboards of Grafana, by name. `npm run generate` writes them to grafana/dashboards. */
const dashboards: Record<string, Dashboard> = {
  platform: {
    title: 'Platform',
    panels: [
      { title: 'Access past its end', unit: 'short', alarm: 1, lines: { grants: 'max(accessops_grants_past_expiry)' } },
      { title: 'Events put aside', unit: 'short', alarm: 1, lines: { '{{job}}': 'max by (job) (accessops_dead_letters)' } },
      { title: 'Calls per second, by status', unit: 'reqps', lines: { '{{status}}': `sum by (status) (rate(${answers}_count[1m]))` } },
      { title: 'Calls that fail', unit: 'percentunit', lines: { '5xx': failing } },
      { title: 'How long answers take', unit: 's', lines: quantiles(answers) },
      { title: 'How long Cerbos takes', unit: 's', lines: quantiles(cerbos) },
      { title: 'What happens', unit: 'ops', lines: { '{{type}}': top(perSecond('accessops_events_sent_total', 'type')) } },
      {
        title: 'How late consumers are (95 %)',
        unit: 's',
        lines: { '{{producer}} → {{job}}': quantile(0.95, lag, 'job', 'producer') },
      },
      { title: 'Instances that answer', unit: 'short', lines: { '{{job}}': 'sum by (job) (up)' } },
      { title: 'Processors in use', unit: 'short', lines: { '{{job}}': 'sum by (job) (rate(process_cpu_seconds_total[5m]))' } },
    ],
  },
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
      {
        title: 'Jobs that wait or run',
        unit: 'short',
        lines: { '{{queue}} {{status}}': 'max by (queue, status) (accessops_jobs_open)' },
      },
      { title: 'Attempts at jobs', unit: 'ops', lines: { '{{kind}} {{outcome}}': perSecond(`${attempts}_count`, 'kind, outcome') } },
      { title: 'How long attempts take (95 %)', unit: 's', lines: { '{{kind}}': quantile(0.95, attempts, 'kind') } },
    ],
  },
  decisions: {
    title: 'Decisions',
    panels: [
      {
        title: 'Decisions per second',
        unit: 'ops',
        lines: { '{{job}} {{source}}': perSecond('accessops_decisions_total', 'job, source') },
      },
      {
        title: 'Remembered, and not asked',
        unit: 'percentunit',
        lines: {
          '{{job}}': `${perSecond('accessops_decisions_total{source="memory"}', 'job')} / ${perSecond('accessops_decisions_total', 'job')}`,
        },
      },
      { title: 'How long Cerbos takes', unit: 's', lines: quantiles(cerbos) },
      { title: 'How long Cerbos takes (95 %), by who asks', unit: 's', lines: { '{{job}}': quantile(0.95, cerbos, 'job') } },
      { title: 'Without an answer', unit: 'ops', lines: { '{{job}}': perSecond(`${cerbos}_count{outcome="failed"}`, 'job') } },
      { title: 'How long Cerbos itself says that it takes', unit: 'ms', lines: quantiles(decisions) },
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
      { title: 'How late they are handled (95 %)', unit: 's', lines: { '{{producer}} → {{job}}': quantile(0.95, lag, 'job', 'producer') } },
      { title: 'Handled', unit: 'ops', lines: { '{{producer}} → {{job}}': perSecond(`${lag}_count`, 'job, producer') } },
      {
        title: 'Attempts that fail',
        unit: 'ops',
        lines: { '{{producer}} → {{job}}': perSecond('accessops_event_failures_total', 'job, producer') },
      },
      { title: 'Sent', unit: 'ops', lines: { '{{job}} {{type}}': top(perSecond('accessops_events_sent_total', 'job, type')) } },
    ],
  },
  audit: {
    title: 'Audit',
    panels: [
      {
        title: 'Events that are not appended yet',
        unit: 'short',
        lines: { '{{producer}}': 'max by (producer) (accessops_events_waiting{job="audit"})' },
      },
      {
        title: 'How late events are appended (95 %)',
        unit: 's',
        lines: { '{{producer}}': `histogram_quantile(0.95, sum by (producer, le) (rate(${lag}_bucket{job="audit"}[5m])))` },
      },
      { title: 'Events appended', unit: 'ops', lines: { events: 'sum(rate(accessops_audit_append_events_sum[5m]))' } },
      {
        title: 'Events appended at once',
        unit: 'short',
        lines: { average: 'sum(rate(accessops_audit_append_events_sum[5m])) / sum(rate(accessops_audit_append_events_count[5m]))' },
      },
      { title: 'How long it takes to append', unit: 's', lines: quantiles(appends) },
      { title: 'Appends', unit: 'ops', lines: { '{{outcome}}': perSecond(`${appends}_count`, 'outcome') } },
    ],
  },
  gateway: {
    title: 'Gateway',
    panels: [
      { title: 'Calls per second, by status', unit: 'reqps', lines: { '{{status}}': `sum by (status) (rate(${answers}_count[1m]))` } },
      { title: 'Calls that fail', unit: 'percentunit', lines: { '5xx': failing } },
      { title: 'How long answers take', unit: 's', lines: quantiles(answers) },
      {
        title: 'The slowest routes (95 %)',
        unit: 's',
        lines: { '{{method}} {{route}}': top(quantile(0.95, answers, 'method', 'route')) },
      },
      {
        title: 'The busiest routes',
        unit: 'reqps',
        lines: { '{{method}} {{route}}': top(perSecond(`${answers}_count`, 'method, route')) },
      },
      {
        title: 'Routes that fail',
        unit: 'reqps',
        lines: { '{{method}} {{route}}': top(perSecond(`${answers}_count{status=~"5.."}`, 'method, route')) },
      },
      {
        title: 'Refused calls, by route',
        unit: 'reqps',
        lines: { '{{route}}': `sum by (route) (rate(${answers}_count{status=~"4.."}[5m]))` },
      },
    ],
  },
  calls: {
    title: 'Calls between processes',
    panels: [
      { title: 'Calls per second', unit: 'reqps', lines: { '{{service}}': perSecond(`${calls}_count`, 'service') } },
      {
        title: 'Calls that fail',
        unit: 'reqps',
        lines: {
          '{{service}}.{{method}} {{code}}': perSecond(
            `${calls}_count{code=~"INTERNAL|UNKNOWN|UNAVAILABLE|DEADLINE_EXCEEDED"}`,
            'service, method, code',
          ),
        },
      },
      { title: 'How long services take (95 %)', unit: 's', lines: { '{{service}}': quantile(0.95, calls, 'service') } },
      { title: 'How long the gateway waits for them (95 %)', unit: 's', lines: { '{{service}}': quantile(0.95, ownCalls, 'service') } },
      {
        title: 'The slowest methods (95 %)',
        unit: 's',
        lines: { '{{service}}.{{method}}': top(quantile(0.95, calls, 'service', 'method')) },
      },
      {
        title: 'Without an answer',
        unit: 'reqps',
        lines: {
          '{{service}}.{{method}} {{code}}': perSecond(`${ownCalls}_count{code=~"UNAVAILABLE|DEADLINE_EXCEEDED"}`, 'service, method, code'),
        },
      },
    ],
  },
  databases: {
    title: 'Databases',
    panels: [
      { title: 'Waiting for a connection', unit: 'short', alarm: 1, lines: { '{{job}} {{instance}}': 'accessops_db_waiting' } },
      {
        title: 'Connections in use',
        unit: 'percentunit',
        lines: {
          '{{job}} {{instance}}':
            'sum by (job, instance) (accessops_db_connections{state="used"}) / sum by (job, instance) (accessops_db_connections_max)',
        },
      },
      { title: 'Connections', unit: 'short', lines: { '{{job}} {{state}}': 'sum by (job, state) (accessops_db_connections)' } },
      { title: 'Connections there may be', unit: 'short', lines: { '{{job}}': 'sum by (job) (accessops_db_connections_max)' } },
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
      {
        title: 'Certificates expire in',
        unit: 's',
        lines: { '{{job}} {{file}}': 'min by (job, file) (accessops_certificate_expiry_timestamp_seconds) - time()' },
      },
      { title: 'Open files', unit: 'short', lines: { '{{job}} {{instance}}': 'process_open_fds' } },
    ],
  },
};

const columns = 2;
const size = { w: 24 / columns, h: 8 };

const panelDocument = ({ title, unit, lines, alarm }: Panel, index: number): PanelDocument => ({
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
  targets: Object.entries(lines).map(([legendFormat, expr], line) => ({
    refId: String.fromCharCode(65 + line),
    expr,
    legendFormat,
    // Points at traces, where there are some.
    ...(expr.includes('_bucket') && { exemplar: true }),
  })),
});

/** What Grafana reads of each dashboard, by name. */
export const dashboardDocuments = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(dashboards).map(([name, { title, panels }]) => {
      const document: DashboardDocument = {
        uid: `accessops-${name}`,
        title,
        schemaVersion: 41,
        refresh: '15s',
        time: { from: 'now-1h', to: 'now' },
        templating: {},
        annotations: {},
        panels: panels.map(panelDocument),
      };
      return [name, `${JSON.stringify(document, undefined, 2)}\n`];
    }),
  );
