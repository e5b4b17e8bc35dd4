import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Histogram } from '@accessops/telemetry';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboardDocuments, decisions } from '../observability/dashboards.ts';
import { processMetrics } from '../observability/metrics.ts';
import { namesIn } from './promql.ts';

const folder = join(import.meta.dirname, '../observability');
const read = <T>(file: string) => parse(readFileSync(join(folder, file), 'utf8')) as T;

/** Metrics and labels of the processes, as the processes themselves make them; `up` and the last labels are Prometheus' own. */
const histogram = (name: string) => [`${name}_bucket`, `${name}_sum`, `${name}_count`];
// Of Cerbos: test/alerts.test.ts asks it for them.
const metrics = new Set(['up', ...histogram(decisions)]);
const labels = new Set(['job', 'instance', 'le']);
for (const registry of Object.values(processMetrics())) {
  for (const metric of registry.getMetricsAsArray()) {
    const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] };
    for (const told of metric instanceof Histogram ? histogram(name) : [name]) metrics.add(told);
    for (const label of labelNames) labels.add(label);
  }
}

interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
}

interface Dashboard {
  panels: { title: string; targets: { expr: string; legendFormat: string }[] }[];
}

const rules = read<{ groups: { rules: Rule[] }[] }>('alerts.yaml').groups.flatMap((group) => group.rules);
const panels = Object.entries(dashboardDocuments()).flatMap(([name, text]) =>
  (JSON.parse(text) as Dashboard).panels.map(({ title, targets }) => ({ name: `${name}: ${title}`, targets })),
);

const unknown = (query: string): string[] => {
  const names = namesIn(query);
  return [...names.metrics.filter((name) => !metrics.has(name)), ...names.labels.filter((name) => !labels.has(name))];
};

describe('what is watched', () => {
  it.each(rules)('when the alert $alert looks at something, then it is there', ({ expr }) => {
    expect(unknown(expr)).toEqual([]);
  });

  it.each(panels)('when $name is drawn, then what it draws is there', ({ targets }) => {
    for (const { expr, legendFormat } of targets) {
      expect(unknown(expr)).toEqual([]);
      const shown = [...legendFormat.matchAll(/{{(\w+)}}/g)].map(([, label = '']) => label);
      expect(shown.filter((label) => !labels.has(label))).toEqual([]);
    }
  });

  it('when there is a dashboard, then it comes to Kubernetes, too', () => {
    const { configMapGenerator } = read<{ configMapGenerator: { files: string[] }[] }>('grafana/dashboards/kustomization.yaml');
    expect(configMapGenerator[0]?.files).toEqual(
      Object.keys(dashboardDocuments())
        .map((name) => `${name}.json`)
        .toSorted(),
    );
  });

  it('when a query is misspelt, then it is noticed', () => {
    expect(unknown('sum by (queu) (accessops_job_open)')).toEqual(['accessops_job_open', 'queu']);
    expect(() => namesIn('sum(up')).toThrow('not understood');
  });

  it('when Prometheus asks, then it asks each process, under the name that alerts call it by', () => {
    const { scrape_configs: jobs } = read<{ scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[] }>(
      'prometheus.yaml',
    );
    const asked = jobs.flatMap(({ job_name: name, static_configs: [config] }) =>
      (config?.targets ?? []).map((target) => `${name} at ${target}`),
    );
    const services = ['identity', 'requests', 'approvals', 'provisioner', 'audit'];
    expect(asked).toEqual([...['gateway', ...services].map((name) => `${name} at ${name}:9091`), 'cerbos at cerbos:3592']);
  });

  it('when an alert is written, then it is told what to do about it', () => {
    const runbook = readFileSync(join(import.meta.dirname, '../../docs/alerts.md'), 'utf8');
    const told = [...runbook.matchAll(/^### (\w+)\n\n(\*\*critical\*\*: )?/gm)].map(
      ([, alert, critical]) => `${alert} ${critical ? 'critical' : 'warning'}`,
    );
    expect(told).toEqual(rules.map(({ alert, labels: { severity } }) => `${alert} ${severity}`));
  });

  it('when an alert is written, then it has a test', () => {
    const { tests } = read<{ tests: { alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[] }>('alerts.test.yaml');
    const tried = tests.flatMap((test) => test.alert_rule_test.filter((one) => one.exp_alerts.length > 0).map((one) => one.alertname));
    expect([...new Set(tried)].toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  });
});
