import { parser } from '@prometheus-io/lezer-promql';

/** What a query of Prometheus names. */
export interface Names {
  metrics: string[];
  labels: string[];
}

/** The names in a query, by Prometheus' own grammar; throws where it is no PromQL. */
export const namesIn = (query: string): Names => {
  const names: Names = { metrics: [], labels: [] };
  parser.parse(query).iterate({
    enter: ({ type, from, to, node }) => {
      const text = query.slice(from, to);
      if (type.isError) throw new Error(`${query}: not understood at ${query.slice(from)}`);
      if (type.name === 'Identifier' && node.parent?.name === 'VectorSelector') names.metrics.push(text);
      if (type.name === 'LabelName') names.labels.push(text);
    },
  });
  return names;
};
