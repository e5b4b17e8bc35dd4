import { isLarger } from '@accessops/license';
import type { Entitlement } from './license.ts';
import type { SubscriptionEvent } from './stripe-event.ts';

/** What a price or product of Stripe gives. */
export type Prices = Readonly<Record<string, Entitlement>>;

/** What nobody has to pay for. */
export const nothingPaid: Entitlement = { tier: 'free', flags: [] };

// While a payment is late Stripe tries again: access ends when it has given up. https://docs.stripe.com/billing/subscriptions/overview
const paidStatuses = new Set(['active', 'trialing', 'past_due']);

/** After these a subscription never changes again. */
export const endStatuses: ReadonlySet<string> = new Set(['canceled', 'incomplete_expired']);

/** The largest tier of several, and the flags of all. */
export const together = (entitlements: readonly Entitlement[]): Entitlement => ({
  tier: entitlements.reduce((best, { tier }) => (isLarger(tier, best) ? tier : best), nothingPaid.tier),
  flags: [...new Set(entitlements.flatMap(({ flags }) => flags))].sort(),
});

/** What a subscription gives in its state; undefined when none of its prices is known. A price goes before its product. */
export const entitlementOf = ({ status, items }: SubscriptionEvent['subscription'], prices: Prices): Entitlement | undefined => {
  if (!paidStatuses.has(status)) return nothingPaid;
  const given = (id: string) => (Object.hasOwn(prices, id) ? prices[id] : undefined);
  const known = items.flatMap(({ priceId, productId }) => given(priceId) ?? given(productId) ?? []);
  return known.length > 0 ? together(known) : undefined;
};
