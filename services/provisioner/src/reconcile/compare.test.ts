import { expect, test } from 'vitest';
import type { Found } from '../connector.ts';
import { compare, inBoth, type Known } from './compare.ts';

const whose = { tenantId: 'acme', resourceId: 'db' };
const found = (key: string | null, inForce = true): Found => ({ key, name: `role of ${key}`, kind: 'role', inForce });
const known = (key: string, state: Known['state'], of: Partial<Known> = {}): Known => ({ key, ...whose, state, ...of });

test('when the target has what is expected, then nothing differs', () => {
  expect(compare([found('a')], ['a'], [known('a', 'live')], whose)).toEqual({ missing: [], surplus: [], foreign: [] });
});

test('when something expected is not there, or only something of it, then it is missing', () => {
  expect(compare([found('b', false)], ['a', 'b'], [known('b', 'live')], whose)).toMatchObject({ missing: ['a', 'b'], surplus: [] });
});

test.each<[string, Known[], 'surplus' | 'foreign' | 'nothing']>([
  ['is over', [known('a', 'over')], 'surplus'],
  ['is live', [known('a', 'live')], 'nothing'],
  ['has a job', [known('a', 'moving')], 'nothing'],
  ['is over, and was for another resource', [known('a', 'over', { resourceId: 'other' })], 'nothing'],
  ['is over, and was of another tenant', [known('a', 'over', { tenantId: 'globex' })], 'nothing'],
  ['is known to nobody', [], 'foreign'],
])('when what carries our mark %s, then it is %3$s', (_, all, expected) => {
  const { surplus, foreign } = compare([found('a')], [], all, whose);
  expect({ surplus: surplus.length, foreign: foreign.length }).toEqual({
    surplus: 0,
    foreign: 0,
    ...(expected !== 'nothing' && { [expected]: 1 }),
  });
});

test('when others have made something, then it is foreign, and never anything else', () => {
  expect(compare([found(null), found('theirs', false)], [], [], whose)).toMatchObject({
    missing: [],
    surplus: [],
    foreign: [{ key: null }],
  });
});

test('when only one of two looks shows a difference, then something was on its way', () => {
  const first = compare([found('left')], ['gone', 'late'], [known('left', 'over')], whose);
  const second = compare([found('late')], ['gone', 'late', 'new'], [known('late', 'live')], whose);
  expect(inBoth(first, second)).toEqual({ missing: ['gone'], surplus: [], foreign: [] });
});
