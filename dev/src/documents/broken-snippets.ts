import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { root } from '../paths.ts';
import { runProgram } from '../run-program.ts';
import type { Document } from './document.ts';

const message = (error: unknown) => (error instanceof Error ? error.message : String(error));

const thrownBy = (read: () => unknown): string | undefined => {
  try {
    read();
    return undefined;
  } catch (error) {
    return message(error);
  }
};

const refusedBy =
  (program: string, ...args: string[]) =>
  async (text: string): Promise<string | undefined> => {
    const { code, output } = await runProgram(program, args, { input: Promise.resolve(text) });
    return code === 0 ? undefined : output.trim();
  };

/** How a snippet of each language is read; answers what is wrong. */
const readers: Record<string, (text: string) => Promise<string | undefined> | string | undefined> = {
  sh: refusedBy('bash', '-n'),
  ts: refusedBy('biome', 'format', '--colors=off', '--stdin-file-path=snippet.ts'),
  json: (text) => thrownBy(() => JSON.parse(text)),
  // Most ways to get a picture wrong are seen at once; this one is not.
  mermaid: (text) => (text.includes(';') ? 'a semicolon ends a statement of mermaid, also in texts' : undefined),
  yaml: (text) => parseAllDocuments(text).flatMap(({ errors }) => errors.map(message))[0],
};

// Queries and plain text.
const unread = new Set(['', 'sql', 'promql', 'http', 'hcl', 'text']);

const words = (text: string) => text.trim().split(/\s+/).join(' ');

/** What is wrong with a snippet that says which file it is a piece of. */
const misquoted = (text: string, file: string): string | undefined => {
  const path = join(root, file);
  if (!existsSync(path)) return `there is no ${file}`;
  return words(readFileSync(path, 'utf8')).includes(words(text)) ? undefined : `${file} does not say that`;
};

/** Snippets of a document that are not what their fence says, a line each. */
export const brokenSnippets = async ({ path, snippets }: Document): Promise<string[]> => {
  const problems: string[] = [];
  for (const { line, language, file, text } of snippets) {
    if (unread.has(language)) continue;
    const reader = readers[language];
    const problem = file
      ? misquoted(text, file)
      : reader
        ? await reader(text)
        : `nobody reads ${language}: say one of ${Object.keys(readers).join(', ')}`;
    if (problem) problems.push(`${path}:${line}: ${problem}`);
  }
  return problems;
};
