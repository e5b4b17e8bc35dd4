import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../paths.ts';
import { sourceFiles } from '../source-files.ts';
import { brokenLinks, brokenMentions } from './broken-links.ts';
import { brokenSnippets } from './broken-snippets.ts';
import { readDocument } from './document.ts';
import { codeFiles, knownNames } from './known-names.ts';
import { unknownNames } from './unknown-names.ts';

/** What is wrong with the documents, a line each: links, snippets and names that are not what they seem. */
export const checkDocuments = async (): Promise<string[]> => {
  const documents = ['README.md', ...sourceFiles('docs', '.md'), ...sourceFiles('e2e', '.md')].map(readDocument);
  const known = await knownNames();
  const snippets = await Promise.all(documents.map(brokenSnippets));
  return [
    ...documents.flatMap((document) => [...brokenLinks(document), ...unknownNames(document, known)]),
    ...snippets.flat(),
    ...codeFiles()
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) => brokenMentions(file, readFileSync(join(root, file), 'utf8'))),
  ];
};
