import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';
import { sourceFiles } from '../source-files.ts';
import { brokenLinks, brokenMentions } from './broken-links.ts';
import { brokenSnippets } from './broken-snippets.ts';
import { readDocument } from './document.ts';
import { codeFiles, knownNames } from './known-names.ts';
import { unknownNames } from './unknown-names.ts';

// Of the system, or set by one of our processes for another.
const toldByOthers = new Set(['PATH', 'NODE_COMPILE_CACHE']);

/** Variables that a file reads and no document speaks of, a line each. */
export const untoldVariables = (file: string, text: string, told: ReadonlySet<string>): string[] =>
  [...new Set([...text.matchAll(/\bprocess\.env\.([A-Z][A-Z0-9_]*)\b(?!\s*=[^=])/g)].map(([, name = '']) => name))]
    .filter((name) => !told.has(name) && !toldByOthers.has(name))
    .map((name) => `${file}: reads ${name}, of which no document speaks`);

const exampleFile = '.env.example';

/** Variables of the example that no code knows, a line each. */
export const unknownVariables = (text: string, words: ReadonlySet<string>): string[] =>
  [...text.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].flatMap(([, name = '']) =>
    words.has(name) ? [] : [`${exampleFile}: nobody reads ${name}`],
  );

/** What is wrong with the documents, a line each: links, snippets and names that are not what they seem. */
export const checkDocuments = async (): Promise<string[]> => {
  const documents = ['README.md', ...sourceFiles('docs', '.md'), ...sourceFiles('e2e', '.md')].map(readDocument);
  const known = await knownNames();
  const told = new Set(documents.flatMap(({ codeSpans }) => codeSpans.map(({ text }) => text)));
  const snippets = await Promise.all(documents.map(brokenSnippets));
  const example = readFileSync(join(root, exampleFile), 'utf8');
  const code = codeFiles().filter((file) => !file.endsWith('.test.ts'));
  return [
    ...documents.flatMap((document) => [...brokenLinks(document), ...unknownNames(document, known)]),
    ...snippets.flat(),
    ...unknownVariables(example, known.words),
    ...brokenMentions(exampleFile, example),
    ...code.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return [...brokenMentions(file, text), ...untoldVariables(file, text, told)];
    }),
  ];
};
