import { expect, test } from 'vitest';
import { parseReason } from './parse-reason.ts';

test.each(['INC-4711', ' Störung gemeldet am 21.11. ', 'x'.repeat(500), '顧客対応'])(
  'when the reason is %j, then it counts, trimmed',
  (given) => {
    expect(parseReason(given)).toBe(given.trim());
  },
);

test.each([
  '',
  '  ',
  'ab',
  '  a  ',
  'x'.repeat(501),
  'a ticket\nACTOR root',
  'a ticket\u0000',
  'a ticket\u0085',
  'a\u202eticket',
  'a\u200bticket',
  'a ticket \ud800',
])('when the reason is %j, then it is refused', (given) => {
  expect(parseReason(given)).toBeUndefined();
});
