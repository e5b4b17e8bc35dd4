import { describe, expect, test } from 'vitest';
import { brokenLinks, brokenMentions } from './broken-links.ts';
import { brokenSnippets } from './broken-snippets.ts';
import { unknownVariables, untoldVariables } from './check-documents.ts';
import { parseDocument } from './document.ts';
import { type Known, unknownNames } from './unknown-names.ts';

const read = (text: string) => parseDocument('docs/some.md', text);

describe('links', () => {
  const linksOf = (text: string) => brokenLinks(read(text), () => new Set(['there', 'there-1']));

  test.each([
    ['[a](architecture.md)'],
    ['[a](architecture.md#there-1)'],
    ['[a](../README.md)'],
    ['[a](adr)'],
    ['[a](#there)'],
    ['[a](https://example.com/x#y)'],
    ['`[a](nowhere.md)`'],
  ])('when a document says %s, then all is well', (text) => {
    expect(linksOf(text)).toEqual([]);
  });

  test.each([
    ['[a](nowhere.md)', 'there is no docs/nowhere.md'],
    ['[a](../../elsewhere)', 'there is no ../elsewhere'],
    ['[a](architecture.md#gone)', 'has no heading #gone'],
    ['[a](http://example.com)', 'is no https address'],
    ['![a](nowhere.png)', 'there is no docs/nowhere.png'],
    ['| a |\n|---|\n| [a](nowhere.md) |', 'there is no docs/nowhere.md'],
  ])('when a document says %s, then %s', (text, problem) => {
    expect(linksOf(text)).toEqual([expect.stringContaining(problem)]);
  });

  test('when headings are alike or hold code, then their anchors are those of GitHub', () => {
    expect([...read('# The `way` – of a request\n## A\n## A\n').anchors]).toEqual(['the-way--of-a-request', 'a', 'a-1']);
  });

  test('when a link is broken, then its line is told', () => {
    expect(brokenLinks(read('# A\n\none\ntwo [a](nowhere.md)\n'))).toEqual([expect.stringMatching(/^docs\/some\.md:4: /)]);
  });

  test('when code mentions a document that is gone, then it is told', () => {
    expect(brokenMentions('a.ts', '// see docs/architecture.md\n// see docs/gone.md')).toEqual([
      expect.stringContaining('a.ts:2: docs/gone.md'),
    ]);
  });
});

describe('snippets', () => {
  const fence = (language: string, text: string) => read(`\`\`\`${language}\n${text}\n\`\`\`\n`);

  test.each([
    ['sh', 'for a in b; do echo "$a"; done'],
    ['json', '{"a": ["…"]}'],
    ['yaml', 'a: [b]'],
    ['ts', 'const a: string = b satisfies C;'],
    ['mermaid', 'a ((('],
  ])('when %s is %s, then all is well', async (language, text) => {
    expect(await brokenSnippets(fence(language, text))).toEqual([]);
  });

  test.each([
    ['what a file says, spaced differently', 'json package.json', '"name":   "accessops",', 0],
    ['what a file does not say', 'json package.json', '"name": "other"', 1],
    ['a file that is gone', 'ts dev/src/gone.ts', 'const a = 1;', 1],
  ])('when a snippet quotes %s, then problems are counted', async (_, info, text, count) => {
    expect(await brokenSnippets(fence(info, text))).toHaveLength(count);
  });

  test.each([
    ['sh', 'for a in b; do echo "$a"'],
    ['json', '{"a": 1,}'],
    ['yaml', 'a: [b'],
    ['ts', 'const a: = b;'],
    ['bash', 'true'],
    ['mermaid', 'sequenceDiagram\n  a->>b: one; two'],
  ])('when %s is %s, then it is told', async (language, text) => {
    expect(await brokenSnippets(fence(language, text))).toHaveLength(1);
  });
});

describe('names', () => {
  const known: Known = {
    words: new Set(['LOG_LEVEL', 'REQUEST_NOT_PENDING', 'RequestApproved']),
    errorCodes: new Set(['REQUEST_NOT_PENDING']),
    routes: ['GET /requests/{id}', 'GET /metrics'],
    permissions: new Set(['team:read', 'team:add_member']),
    scripts: new Set(['test', 'test:deploy']),
    composeProfiles: new Set(['all']),
    imageTargets: new Set(['gateway']),
  };
  const namesIn = (text: string) => unknownNames(read(text), known);

  test.each([
    '`LOG_LEVEL`',
    '`RequestApproved`',
    '`GET /api/v1/requests/{requestId}`',
    '`GET /requests/x {"a": 1}`',
    '`GET /metrics`',
    '`team:add_member`',
    '`node:crypto`',
    '`409 REQUEST_NOT_PENDING`',
    '`dev/src/check.ts`',
    '`npm run test:deploy -- bundles`',
    '`docker compose --profile all up`',
    '`CONNECTOR_S3_<NAME>_URL`',
  ])('when a document says %s, then all is well', (text) => {
    expect(namesIn(text)).toEqual([]);
  });

  test.each([
    '`LOG_LEVELS`',
    '`RequestGranted`',
    '`POST /api/v1/requests/{id}`',
    '`GET /api/v1/metrics/x`',
    '`team:steal`',
    '`409 LOG_LEVEL`',
    '`dev/src/gone.ts`',
    '`npm run deploy`',
    '`docker compose --profile everything up`',
    '```sh\nnpm run deploy\n```',
    '```sh\ndocker build --target nothing .\n```',
    '```sh\nkubectl apply -k deploy/k8s/overlays/gone\n```',
  ])('when a document says %s, then it is told', (text) => {
    expect(namesIn(text)).toHaveLength(1);
  });
});

test('when code reads a variable, then a document has to speak of it', () => {
  const text = 'const a = process.env.TOLD; const b = process.env.UNTOLD; process.env.SET = a;';
  expect(untoldVariables('a.ts', text, new Set(['TOLD']))).toEqual(['a.ts: reads UNTOLD, of which no document speaks']);
});

test('when the example sets a variable, then somebody reads it', () => {
  expect(unknownVariables('# Of nobody.\nREAD=1\n#UNREAD=2\n', new Set(['READ']))).toEqual(['.env.example: nobody reads UNREAD']);
});
