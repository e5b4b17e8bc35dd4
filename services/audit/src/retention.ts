import { limitsOf } from '@accessops/license';

const dayMs = 24 * 3_600_000;

/** Of the tenant's log what a license shows: nothing is deleted, for a chain without its beginning proves nothing. */
export const retained = (tier: string, now: Date): { occurredAt?: { $gte: Date } } => {
  const { auditRetentionDays } = limitsOf(tier);
  return auditRetentionDays === null ? {} : { occurredAt: { $gte: new Date(now.getTime() - auditRetentionDays * dayMs) } };
};
