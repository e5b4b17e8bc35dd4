import { expect, test } from 'vitest';
import { parseName } from './parse-name.ts';

test('when a name has spaces around it, then they go', () => {
  expect(parseName('/firstName', '  Ada ')).toBe('Ada');
});

test('when a name is spelled with other code points, then it is the same', () => {
  expect(parseName('/name', 'Zoe\u0308')).toBe('Zo\u00eb');
});

test.each([
  'ad\u202emin',
  'ad\u200bmin',
  'ad\ufeffmin',
  'ad\u2066min',
  'ad\u00admin',
  'a\ud800',
  'line\u2028line',
  'a\u0007b',
  ' ',
  'x'.repeat(101),
  // Cyrillic, Greek, Armenian and mathematical letters between Latin ones.
  '\u0430dmin',
  'Team P\u0430ypal',
  'C\u03bfmpany',
  'ad\u0574in',
  '\u{1d41a}dmin',
])('when the name is %j, then it is refused', (name) => {
  expect(() => parseName('/name', name)).toThrow(expect.objectContaining({ code: 'INVALID_FIELDS' }));
});

test('when a name needs a joiner or another script, then it may be', () => {
  for (const name of [
    '\u0410\u043d\u043d\u0430 Smith',
    '\u03b2-team',
    'Acme \u682a\u5f0f\u4f1a\u793e',
    '\u0646\u0627\u0645\u0647\u200c\u0627\u06cc',
    '\u674e\u5c0f\u9f99',
    "O'Brien-\u0141uczak",
  ])
    expect(parseName('/name', name)).toBe(name);
});
