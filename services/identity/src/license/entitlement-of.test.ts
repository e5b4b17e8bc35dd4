import { expect, test } from 'vitest';
import { entitlementOf, type Prices, together } from './entitlement-of.ts';

const prices: Prices = {
  price_team: { tier: 'team', flags: ['sso'] },
  prod_enterprise: { tier: 'enterprise', flags: ['scim', 'sso'] },
};
const of = (status: string, ...items: [priceId: string, productId: string][]) =>
  entitlementOf(
    { id: 'sub_1', customerId: 'cus_1', status, tenant: '', items: items.map(([priceId, productId]) => ({ priceId, productId })) },
    prices,
  );

test('when a price or its product is known, then it gives its tier and flags; the price goes first', () => {
  expect(of('active', ['price_team', 'prod_enterprise'])).toEqual({ tier: 'team', flags: ['sso'] });
  expect(of('trialing', ['price_other', 'prod_enterprise'])).toEqual({ tier: 'enterprise', flags: ['scim', 'sso'] });
  expect(of('past_due', ['price_team', 'x'], ['y', 'prod_enterprise'])).toEqual({ tier: 'enterprise', flags: ['scim', 'sso'] });
});

test('when it is not paid for, then it gives nothing, whatever its price', () => {
  for (const status of ['canceled', 'unpaid', 'incomplete', 'incomplete_expired', 'paused', 'something new'])
    expect(of(status, ['price_team', ''])).toEqual({ tier: 'free', flags: [] });
});

test('when no price is known, then it says nothing', () => {
  expect(of('active', ['toString', 'constructor'])).toBeUndefined();
  expect(of('active')).toBeUndefined();
});

test('when there are several, then the largest tier and all flags count; of none it is nothing', () => {
  expect(together([])).toEqual({ tier: 'free', flags: [] });
  expect(
    together([
      { tier: 'team', flags: ['b'] },
      { tier: 'free', flags: ['a', 'b'] },
    ]),
  ).toEqual({ tier: 'team', flags: ['a', 'b'] });
});
