import type { Tier } from '@accessops/license';
import { expect, test } from 'vitest';
import { License } from './license.ts';

const license = Object.assign(Object.create(License.prototype) as License, { tier: 'team', flags: ['scim', 'sso'], version: 1 });
const isExceededBy = (tier: Tier, flags: string[]) => license.isExceededBy({ tier, flags });

test('when a tier is larger or a flag is new, then it is more than there is', () => {
  expect(isExceededBy('enterprise', [])).toBe(true);
  expect(isExceededBy('free', ['siem'])).toBe(true);
  expect(isExceededBy('team', ['scim', 'sso'])).toBe(false);
  expect(isExceededBy('free', ['sso'])).toBe(false);
});
