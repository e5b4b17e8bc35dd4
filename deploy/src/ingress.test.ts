import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { routes } from '../../gateway/src/routes/index.ts';

interface Ingress {
  spec: { rules: { http: { paths: { path: string; pathType: 'Prefix' | 'Exact' }[] } }[] };
}

const { spec } = parse(readFileSync(join(import.meta.dirname, '../k8s/overlays/production/ingress.yaml'), 'utf8')) as Ingress;
const paths = spec.rules.flatMap(({ http }) => http.paths);

const leadsTo = (route: string): boolean =>
  paths.some(({ path, pathType }) => route === path || (pathType === 'Prefix' && route.startsWith(`${path}/`)));

describe('the entrance of a cluster', () => {
  it('when a route is for people, machines or targets, then it can be reached', () => {
    const shut = routes.map(({ path }) => path).filter((path) => !leadsTo(path));
    expect(shut).toEqual([]);
    expect(['/openapi.json', '/docs', '/docs/errors', '/health', '/.well-known/jwks.json'].filter((path) => !leadsTo(path))).toEqual([]);
  });

  it('when something is for whoever runs the platform, then it cannot', () => {
    expect(['/metrics', '/livez', '/readyz', '/'].filter(leadsTo)).toEqual([]);
  });
});
