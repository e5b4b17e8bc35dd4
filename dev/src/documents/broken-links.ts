import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from '../paths.ts';
import { type Document, readDocument } from './document.ts';

/** What stands behind `#` in links to a file; undefined when nothing is known of its headings. */
type AnchorsOf = (path: string) => ReadonlySet<string> | undefined;

const isElsewhere = (target: string) => /^[a-z]+:/.test(target);

/** Why a link leads nowhere; undefined when it does not. */
const problemOf = (from: string, target: string, anchorsOf: AnchorsOf): string | undefined => {
  if (isElsewhere(target)) return /^https:\/\/[^/]+\./.test(target) && URL.canParse(target) ? undefined : 'is no https address';
  const [file = '', anchor] = target.split('#').map(decodeURIComponent);
  const path = file === '' ? from : relative(root, join(root, dirname(from), file));
  if (path !== from && (path.startsWith('..') || !existsSync(join(root, path)))) return `there is no ${path}`;
  if (anchor === undefined) return undefined;
  const anchors = anchorsOf(path);
  if (!anchors) return undefined;
  return anchors.has(anchor) ? undefined : `${path} has no heading #${anchor}`;
};

/** Links of a document that lead nowhere, a line each. Addresses elsewhere are read, not asked. */
export const brokenLinks = (
  { path, links }: Document,
  anchorsOf: AnchorsOf = (file) => (file.endsWith('.md') ? readDocument(file).anchors : undefined),
): string[] =>
  links.flatMap(({ line, target }) => {
    const problem = problemOf(path, target, anchorsOf);
    return problem ? [`${path}:${line}: ${target}: ${problem}`] : [];
  });

const mention = /(?<![\w/.-])docs\/[\w/-]+\.md(?:#[\w-]+)?/g;

/** Documents that a source file mentions as `docs/….md`, and that are not there, a line each. */
export const brokenMentions = (file: string, text: string): string[] =>
  text.split('\n').flatMap((line, index) =>
    [...line.matchAll(mention)].flatMap(([target]) => {
      const problem = problemOf('README.md', target, (path) => readDocument(path).anchors);
      return problem ? [`${file}:${index + 1}: ${target}: ${problem}`] : [];
    }),
  );
