import { expect, test } from 'vitest';
import { parseIfMatch } from './if-match.ts';

test.each([
  ['W/"3"', '3'],
  ['"3"', '3'],
  ['*', '*'],
  [' "1" , W/"12",', '1,12'],
  ['"a"', '0'],
  ['""', '0'],
  ['"3.0"', '0'],
  ['"03"', '0'],
])('when If-Match is %s, then the versions are %s', (header, versions) => {
  expect(parseIfMatch(header)).toBe(versions);
});

test.each(['', ' ', '3', 'W/3', '"3', '"3" "4"', '*, "3"', '"3";x', 'w/"3"', '"1",'.repeat(21)])(
  'when If-Match is "%s", then it is refused',
  (header) => {
    expect(() => parseIfMatch(header)).toThrow(expect.objectContaining({ code: 'INVALID_HEADER' }));
  },
);
