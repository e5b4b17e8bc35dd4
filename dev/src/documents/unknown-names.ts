import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';
import type { Document } from './document.ts';

/** What documents may speak of. */
export interface Known {
  /** Every word of the code. */
  words: ReadonlySet<string>;
  errorCodes: ReadonlySet<string>;
  /** `METHOD /path`, without `/api/v1`. */
  routes: readonly string[];
  /** `resource:action` */
  permissions: ReadonlySet<string>;
  /** Of package.json. */
  scripts: ReadonlySet<string>;
  composeProfiles: ReadonlySet<string>;
  imageTargets: ReadonlySet<string>;
}

const withoutPrefix = (path: string): string => path.replace(/^\/api\/v1(?=\/)/, '');

/** A route as Known has them. */
export const routeLabel = (method: string, path: string): string => `${method.toUpperCase()} ${withoutPrefix(path)}`;

/** Whether a route is written as it is declared; a value may stand in the place of a parameter. */
const isRoute = (text: string, routes: readonly string[]): boolean =>
  routes.some((route) => {
    const parts = route.split('/');
    const written = text.split('/');
    return parts.length === written.length && parts.every((part, index) => part === written[index] || part.startsWith('{'));
  });

const folders = /^(?:services|packages|gateway|policies|dev|e2e|bench|deploy|proto|console|cli)\/[\w./@-]*\w$/;

// Names in what others have written, and names that stand for any name: add what a document rightly speaks of.
const notOurs = new Set(['authorized_keys', 'verifyImages', 'may_x', 'NAME_FILE', 'resource:action']);

/** What is wrong with a name, as somebody would look for it. */
const problemOf = (text: string, { words, routes, permissions }: Known): string | undefined => {
  if (notOurs.has(text)) return undefined;
  const [, method, route] = /^(GET|POST|PUT|PATCH|DELETE) (\/[^\s…?[]*)(?:[ ?[].*)?$/.exec(text) ?? [];
  if (method && route) return isRoute(routeLabel(method, route), routes) ? undefined : 'no route is called like that';
  const [, kind] = /^([a-z_]+):[a-z_]+$/.exec(text) ?? [];
  if (kind && [...permissions].some((permission) => permission.startsWith(`${kind}:`)))
    return permissions.has(text) ? undefined : 'no route asks for that permission';
  if (folders.test(text)) return existsSync(join(root, text)) ? undefined : 'there is no such file';
  // Names that are no plain words: variables, codes, actions, states, types of events, fields.
  if (/^[A-Za-z]+(?:_[A-Z0-9a-z]+)+$|^[A-Za-z]+[a-z][A-Z]\w*$/.test(text))
    return words.has(text) ? undefined : 'the code does not know that name';
  return undefined;
};

const problemsOfCommands = (text: string, { scripts, composeProfiles, imageTargets }: Known): string[] => [
  ...[...text.matchAll(/\bnpm (?:run )?([a-z][a-z:]*(?:-[a-z]+)*)/g)].flatMap(([command, script = '']) =>
    scripts.has(script) || script === 'run' ? [] : [`${command}: there is no such script`],
  ),
  ...[...text.matchAll(/--profile[ =]([\w-]+)/g)].flatMap(([, profile = '']) =>
    composeProfiles.has(profile) ? [] : [`docker-compose.yml has no profile ${profile}`],
  ),
  ...[...text.matchAll(/--target[ =]([\w-]+)/g)].flatMap(([, target = '']) =>
    imageTargets.has(target) ? [] : [`Dockerfile has no target ${target}`],
  ),
  ...[...text.matchAll(/(?<=^|\s)(?:deploy|dev|services|policies)\/[\w./-]*\w/g)].flatMap(([path]) =>
    path.includes('node_modules') || existsSync(join(root, path)) ? [] : [`there is no ${path}`],
  ),
];

/** Names of routes, permissions, codes, files, commands and whatever else code is said to know, and does not, a line each. */
export const unknownNames = (document: Document, known: Known): string[] => {
  const { path, codeSpans, snippets } = document;
  return [
    ...codeSpans.flatMap(({ line, text }) => {
      const problems = text.includes(' ') ? problemsOfCommands(text, known) : [];
      const problem = problemOf(text, known);
      if (problem) problems.push(problem);
      const status = /^[45]\d\d ([A-Z][A-Z_]+)$/.exec(text)?.[1];
      if (status && !known.errorCodes.has(status)) problems.push('there is no such error code');
      return problems.map((problem) => `${path}:${line}: \`${text}\`: ${problem}`);
    }),
    ...snippets
      .filter(({ language }) => language === 'sh')
      .flatMap(({ line, text }) => problemsOfCommands(text, known).map((problem) => `${path}:${line}: ${problem}`)),
  ];
};
