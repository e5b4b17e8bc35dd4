import type { Money } from './money.ts';

/** What access costs, and by which price. */
export interface Cost extends Money {
  pricePerHour: Money;
}

/** What of a grant its cost comes from. */
export interface Costing {
  /** Null or missing: free. */
  pricePerHour?: Money | null;
  activatedAt: Date;
  endedAt: Date | null;
}

const hourMs = 3_600_000n;
const most = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * What access has cost: from its activation until the target had confirmed its end, or until now, whatever wanted it to end meanwhile: it
 * is still there. To the millisecond, rounded once to minor units, half a unit up; no more than what JSON can tell exactly. Null when it
 * is free.
 */
export const costOf = ({ pricePerHour, activatedAt, endedAt }: Costing, now: Date): Cost | null => {
  if (!pricePerHour) return null;
  const { amount: perHour, currency } = pricePerHour;
  // Instances whose clocks disagree may end it before they have begun it.
  const ms = BigInt(Math.max((endedAt ?? now).getTime() - activatedAt.getTime(), 0));
  const amount = (BigInt(perHour) * ms + hourMs / 2n) / hourMs;
  return { amount: Number(amount < most ? amount : most), currency, pricePerHour };
};
