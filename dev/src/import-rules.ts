import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { root } from './paths.ts';
import { sourceFiles } from './source-files.ts';

const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"]+)\1/g;

/** The part of the repository that a file or an import belongs to, like `services/audit`, `gateway` or `packages/db`. */
const partOf = (path: string): string =>
  path
    .split('/')
    .slice(0, /^(services|packages)\//.test(path) ? 2 : 1)
    .join('/');

const importedPart = (file: string, specifier: string, serviceNames: string[]): string | undefined => {
  if (specifier.startsWith('.')) return partOf(relative(root, resolve(root, dirname(file), specifier)));
  const name = /^@accessops\/([^/]+)/.exec(specifier)?.[1];
  if (!name) return undefined;
  if (serviceNames.includes(name)) return `services/${name}`;
  return name === 'gateway' ? 'gateway' : `packages/${name}`;
};

/** Why a part may not import another one; undefined when it may. */
const forbidden = (from: string, to: string): string | undefined => {
  if (from === to) return undefined;
  if (to.startsWith('services/')) {
    if (from.startsWith('services/')) return 'a service imports no other service';
    if (from === 'gateway') return 'the gateway imports no service';
    if (from.startsWith('packages/')) return 'packages import no service';
  }
  if (to === 'gateway' && (from.startsWith('services/') || from.startsWith('packages/'))) return 'nothing below imports the gateway';
  return undefined;
};

/** Breaches of the rules on imports and on the environment in one file, a line each. */
export const breachesOf = (file: string, text: string, serviceNames: string[]): string[] => {
  const from = partOf(file);
  // Tests start the real neighbours of what they test.
  const specifiers = file.includes('/test/') ? [] : [...text.matchAll(importPattern)];
  const imports = specifiers.flatMap(([, , specifier = '']) => {
    const to = importedPart(file, specifier, serviceNames);
    const why = to && forbidden(from, to);
    return why ? [`${file}: ${why} (${specifier})`] : [];
  });
  const reads = /\bprocess\.env\b/.test(text) && !/^(services\/[^/]+|gateway)\/main\.ts$/.test(file);
  return reads ? [...imports, `${file}: only main.ts reads process.env`] : imports;
};

/** Breaches in all of the code. */
export const findBreaches = (): string[] => {
  const names = readdirSync(join(root, 'services'));
  const files = ['services', 'gateway', 'packages'].flatMap((folder) => sourceFiles(folder, '.ts'));
  return files.flatMap((file) => breachesOf(file, readFileSync(join(root, file), 'utf8'), names));
};
