import { expect, test } from 'vitest';
import { secondsOf } from './duration.ts';

test.each([
  ['PT0S', 0],
  ['PT90S', 90],
  ['PT24H', 86_400],
  ['P1DT2H3M4S', 93_784],
  ['P2W', 1_209_600],
  ['P999999999W', 2 ** 31 - 1],
])('when the duration is %s, then it has %i seconds', (duration, seconds) => {
  expect(secondsOf(duration)).toBe(seconds);
});
