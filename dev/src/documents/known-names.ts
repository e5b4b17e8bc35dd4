import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';
import { root } from '../paths.ts';
import { sourceFiles } from '../source-files.ts';
import { type Known, routeLabel } from './unknown-names.ts';

const load = (file: string) => import(pathToFileURL(join(root, file)).href);
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Files of the repository that people write, but for documents. */
export const codeFiles = (): string[] => [
  ...['services', 'packages', 'gateway', 'policies', 'dev', 'e2e', 'bench', 'deploy', 'proto/accessops'].flatMap((folder) =>
    ['.ts', '.mjs', '.yaml', '.json', '.proto', '.conf'].flatMap((ending) => sourceFiles(folder, ending)),
  ),
  'Dockerfile',
  'docker-compose.yml',
  '.ci/run',
  'pnpm-workspace.yaml',
];

// Those that are no part of the API.
const technicalRoutes = ['GET /metrics', 'GET /livez', 'GET /readyz', 'GET /openapi.json', 'GET /docs', 'GET /.well-known/jwks.json'];

/** What documents may speak of: read out of the code. */
export const knownNames = async (): Promise<Known> => {
  const { routes }: { routes: { method: string; path: string; cerbos: { resource: string; action: string } }[] } =
    await load('gateway/src/routes/index.ts');
  const { codes }: { codes: Record<string, unknown> } = await load('packages/errors/src/codes.ts');
  const { services: compose } = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, { profiles: string[] }> };
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  return {
    words: new Set(codeFiles().flatMap((file) => read(file).match(/\w+/g) ?? [])),
    errorCodes: new Set(Object.keys(codes)),
    routes: [...routes.map(({ method, path }) => routeLabel(method, path)), ...technicalRoutes],
    permissions: new Set(routes.map(({ cerbos }) => `${cerbos.resource}:${cerbos.action}`)),
    scripts: new Set(Object.keys(scripts)),
    composeProfiles: new Set(Object.values(compose).flatMap(({ profiles }) => profiles)),
    imageTargets: new Set([...read('Dockerfile').matchAll(/^FROM \S+ AS (\S+)/gm)].map(([, target = '']) => target)),
  };
};
