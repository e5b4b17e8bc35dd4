import type { MetricObjectWithValues, MetricValueWithName, Registry } from 'prom-client';

type Value = MetricValueWithName<string> & {
  exemplar?: { labelSet: Record<string, string>; value: number; timestamp: number } | null;
};

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

const numberOf = (value: number): string => (Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf');

const labelsOf = (labels: Partial<Record<string, string | number>>): string => {
  const written = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return written.length > 0 ? `{${written.join(',')}}` : '';
};

const exemplarOf = ({ exemplar }: Value): string =>
  exemplar ? ` # {${labelsOf(exemplar.labelSet).slice(1, -1)}} ${numberOf(exemplar.value)} ${exemplar.timestamp}` : '';

const familyOf = ({ name, help, type, values }: MetricObjectWithValues<Value>): string[] => {
  const isCounter = String(type) === 'counter';
  const family = isCounter ? name.replace(/_total$/, '') : name;
  const sample = isCounter ? `${family}_total` : name;
  return [
    `# TYPE ${family} ${type}`,
    `# HELP ${family} ${escaped(help)}`,
    ...values.map((value) => `${value.metricName ?? sample}${labelsOf(value.labels)} ${numberOf(value.value)}${exemplarOf(value)}`),
  ];
};

/** What is measured, in OpenMetrics 1.0, with exemplars. prom-client's own renames counters for good, and knows one format at a time. */
export const openMetrics = async (registry: Registry): Promise<string> => {
  const families = (await registry.getMetricsAsJSON()) as unknown as MetricObjectWithValues<Value>[];
  return [...families.flatMap(familyOf), '# EOF', ''].join('\n');
};
