import { describe, expect, test } from 'vitest';
import { aYear, parseDuration, parseDurationUpTo } from './duration.ts';

describe('a duration', () => {
  test.each([
    ['PT4H', 'PT4H', 14_400],
    ['pt1s', 'PT1S', 1],
    ['P1D', 'P1D', 86_400],
    ['P1W', 'P1W', 604_800],
    ['PT90M', 'PT90M', 5400],
    ['P1DT2H3M4S', 'P1DT2H3M4S', 93_784],
    ['PT1.5H', 'PT1H30M', 5400],
    ['P365D', 'P365D', 31_536_000],
  ])('when it is %s, then it is understood', (text, iso, seconds) => {
    expect(parseDuration('/duration', text)).toEqual({ iso, seconds });
  });

  test.each([
    '',
    'PT',
    'P',
    '4h',
    '4',
    'PT0S',
    'P0D',
    '-PT1H',
    'P1Y',
    'P1M',
    'PT0.5S',
    'PT1H ',
    'PT1H\0',
    'PT1e9H',
    `PT${'9'.repeat(70)}H`,
    'null',
  ])('when it is %j, then it is refused at its field', (text) => {
    expect(() => parseDuration('/duration', text)).toThrow(
      expect.objectContaining({ code: 'INVALID_FIELDS', fields: [expect.objectContaining({ pointer: '/duration' })] }),
    );
  });

  test('when it is longer than the longest, then it is refused', () => {
    expect(parseDurationUpTo('/duration', 'PT24H', { iso: 'P1D', seconds: 86_400 }).seconds).toBe(86_400);
    expect(() => parseDurationUpTo('/duration', 'PT24H1S', { iso: 'P1D', seconds: 86_400 })).toThrow('at most P1D');
    expect(() => parseDurationUpTo('/maxDuration', 'P366D', aYear)).toThrow('at most P365D');
  });
});
