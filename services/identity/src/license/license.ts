import { isLarger, type Tier } from '@accessops/license';
import { defineEntity, p } from '@mikro-orm/postgresql';

/** What a tenant is allowed. */
export interface Entitlement {
  tier: Tier;
  /** Sorted, each once. */
  flags: string[];
}

/** How the newest event of Stripe about a tenant ended. */
export type SyncStatus = 'CHANGED' | 'UNCHANGED' | 'UNKNOWN_PRICE';

const LicenseSchema = defineEntity({
  name: 'License',
  tableName: 'license',
  properties: {
    tenantId: p.uuid().primary(),
    tier: p.string().$type<Tier>(),
    flags: p.array<string>(),
    version: p.integer(),
    updatedAt: p.datetime(),
    lastSyncAt: p.datetime().nullable(),
    lastSyncStatus: p.string().$type<SyncStatus>().nullable(),
    lastSyncEvent: p.text().nullable(),
  },
});

/** The license of a tenant. Change it only while its row is locked. */
export class License extends LicenseSchema.class {
  /** Whether this would give the tenant anything that it has not. */
  isExceededBy({ tier, flags }: Entitlement): boolean {
    return isLarger(tier, this.tier) || flags.some((flag) => !this.flags.includes(flag));
  }

  /** Takes another tier and other flags. */
  become({ tier, flags }: Entitlement, now: Date): void {
    this.tier = tier;
    this.flags = flags;
    this.version += 1;
    this.updatedAt = now;
  }

  /** Notes how an event of Stripe ended. */
  synced(status: SyncStatus, eventId: string, now: Date): void {
    this.lastSyncAt = now;
    this.lastSyncStatus = status;
    this.lastSyncEvent = eventId;
  }
}
LicenseSchema.setClass(License);
