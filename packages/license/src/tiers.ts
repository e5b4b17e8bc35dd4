/** What a tier allows; null: as many as one likes. */
export interface Limits {
  /** Active users. */
  users: number | null;
  /** Resources in the catalog. */
  resources: number | null;
  /** How many days back a tenant can read its audit log; nothing of the chain is ever deleted. */
  auditRetentionDays: number | null;
}

/** From the smallest to the largest. */
export const tierNames = ['free', 'team', 'enterprise'] as const;

export type Tier = (typeof tierNames)[number];

/** The one table of limits. */
export const tiers: Readonly<Record<Tier, Limits>> = {
  free: { users: 100, resources: 1_000, auditRetentionDays: 90 },
  team: { users: 1_000, resources: 10_000, auditRetentionDays: 365 },
  enterprise: { users: null, resources: null, auditRetentionDays: null },
};

const isTier = (name: string): name is Tier => (tierNames as readonly string[]).includes(name);

/** The limits of a tier; those of the smallest when there is no such tier. */
export const limitsOf = (name: string): Limits => tiers[isTier(name) ? name : 'free'];

/** Whether the first of two tiers is the larger one. */
export const isLarger = (tier: Tier, than: Tier): boolean => tierNames.indexOf(tier) > tierNames.indexOf(than);
