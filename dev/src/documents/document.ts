import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import GithubSlugger from 'github-slugger';
import MarkdownIt from 'markdown-it';
import { root } from '../paths.ts';

/** Something in a document, and the line of the file that it begins in. */
interface Place {
  line: number;
}

export interface Link extends Place {
  target: string;
}

export interface CodeSpan extends Place {
  text: string;
}

/** A block between fences. */
export interface Snippet extends Place {
  language: string;
  /** The file that it is a piece of: the second word after the fence. */
  file: string | undefined;
  text: string;
}

/** A Markdown file, as far as checks look at it. */
export interface Document {
  /** From the top of the repository. */
  path: string;
  links: Link[];
  codeSpans: CodeSpan[];
  snippets: Snippet[];
  /** What can stand behind `#` in a link to it. */
  anchors: Set<string>;
}

const markdown = new MarkdownIt({ html: true });

/** Reads a document; headings get the anchors that GitHub gives them. */
export const parseDocument = (path: string, text: string): Document => {
  const document: Document = { path, links: [], codeSpans: [], snippets: [], anchors: new Set() };
  const slugger = new GithubSlugger();
  // Cells of a table have no place of their own: theirs is that of their row.
  let line = 1;
  markdown.parse(text, {}).forEach((token, index, tokens) => {
    if (token.map) line = token.map[0] + 1;
    if (token.type === 'fence') {
      const [language = '', file] = token.info.trim().split(/\s+/);
      document.snippets.push({ line, language, file, text: token.content });
    }
    const children = token.children ?? [];
    if (tokens[index - 1]?.type === 'heading_open') document.anchors.add(slugger.slug(children.map(({ content }) => content).join('')));
    for (const child of children) {
      const target = child.attrGet('href') ?? child.attrGet('src');
      if (target !== null) document.links.push({ line, target: String(target) });
      if (child.type === 'code_inline') document.codeSpans.push({ line, text: child.content });
      if (child.type === 'softbreak' || child.type === 'hardbreak') line++;
    }
  });
  return document;
};

/** Reads a document of the repository. */
export const readDocument = (path: string): Document => parseDocument(path, readFileSync(join(root, path), 'utf8'));
