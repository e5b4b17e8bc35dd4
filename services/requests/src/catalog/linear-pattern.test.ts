import { describe, expect, test } from 'vitest';
import { linearPattern } from './linear-pattern.ts';

const patterns = [
  '^[a-z0-9]+(?:-[a-z0-9]+)*$',
  'b',
  '^$',
  '',
  '^(a|bc)?d{2,3}$',
  '^a{2,}b*?$',
  '^(?:x|(y|z){2})+$',
  '^[^\\d\\s]$',
  '^\\w+\\.\\w+$',
  '^.$',
  '^\\u0041\\x42\\p{Lu}$',
  'a|^b$|',
  '^(a*)*$',
  '^[\\]x-]+$',
  '^\\$\\{\\}$',
  '^(\\+|-)?[0-9]{1,3}$',
];
const texts = [
  '',
  'a',
  'b',
  'ab',
  'aab',
  'aabbb',
  'bcdd',
  'add',
  'adddd',
  'yz',
  'xyyx',
  'xy',
  'x1.y',
  'ABÉ',
  '😀',
  ']-x',
  '${}',
  '+42',
  '4242',
  'a-b-c',
  'a--b',
  '\n',
];

describe('a linear pattern', () => {
  test.each(patterns)('when the pattern is %j, then it says the same as the engine', (source) => {
    const engine = new RegExp(source, 'u');
    const linear = linearPattern(source);
    expect(texts.map((text) => linear.test(text))).toEqual(texts.map((text) => engine.test(text)));
  });

  test.each(['^(a+)+$', '^(a|a)*$', '^(.*a){12}$', '^(?:a*)*b?$'])(
    'when %j would backtrack for ever, then it answers at once',
    (source) => {
      const before = process.cpuUsage();
      expect(linearPattern(source).test(`${'a'.repeat(4000)}!`)).toBe(false);
      // What it costs itself, in microseconds: others may have the processor meanwhile.
      const { user, system } = process.cpuUsage(before);
      expect(user + system).toBeLessThan(2_000_000);
    },
  );

  test.each([
    '(?=a)',
    '(?<!a)b',
    '(a)\\1',
    '\\bword',
    '(a',
    'a)',
    '[a',
    '*a',
    'a**',
    '\\k<n>',
    'a{500}',
    '(a{100}){100}',
    `${'a'.repeat(257)}`,
    '[z-a]',
    '\\p{Nope}',
  ])('when the pattern is %j, then it is refused', (source) => {
    expect(() => linearPattern(source)).toThrow(SyntaxError);
  });
});
