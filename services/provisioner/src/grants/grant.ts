import type { Event } from '@accessops/events';
import { defineEntity, p } from '@mikro-orm/postgresql';
import { Temporal } from 'temporal-polyfill';
import type { Spec } from '../jobs/job.ts';
import type { Loss } from '../standing.ts';
import { type Cost, costOf } from './cost.ts';

export type GrantStatus = 'ACTIVE' | 'REVOKING' | 'EXPIRED' | 'REVOKED' | 'REVOKE_FAILED';

/** Why a grant ends. */
export type EndReason = 'EXPIRY' | 'WITHDRAWN' | 'REVOKED' | Loss;

const GrantSchema = defineEntity({
  name: 'Grant',
  tableName: 'access_grant',
  properties: {
    id: p.uuid().primary(),
    tenantId: p.uuid(),
    requestId: p.uuid(),
    holderId: p.uuid(),
    resourceId: p.uuid(),
    role: p.string(),
    /** ACTIVE → REVOKING → EXPIRED or REVOKED; REVOKE_FAILED while the target will not let go. */
    status: p.string().$type<GrantStatus>(),
    activatedAt: p.datetime(),
    expiresAt: p.datetime(),
    /** When the target had confirmed the end. */
    endedAt: p.datetime().nullable(),
    endReason: p.string().$type<EndReason>().nullable(),
    version: p.integer(),
    /** What it takes to end the access at the target, and what it costs. */
    access: p.json<Spec>(),
    /** The call that set things going; for what happens by itself later. */
    origin: p.json<Event['origin']>(),
  },
});

/** Access that is in force, or was. */
export class Grant extends GrantSchema.class {
  /** Whether the access may be used at this time; the clock counts even when the end has not been carried out yet. */
  isUsable(now: Date): boolean {
    return this.status === 'ACTIVE' && this.expiresAt > now;
  }

  /** What it has cost until now, or in the end; null when it is free. */
  cost(now: Date): Cost | null {
    return costOf({ ...this.access, activatedAt: this.activatedAt, endedAt: this.endedAt ?? null }, now);
  }
}
GrantSchema.setClass(Grant);

/** When access of this ISO 8601 duration ends, if it begins now; a day has 24 hours. Throws a RangeError for what is no duration. */
export const expiryOf = (activatedAt: Date, duration: string): Date => {
  const start = Temporal.Instant.fromEpochMilliseconds(activatedAt.getTime()).toZonedDateTimeISO('UTC');
  return new Date(start.add(Temporal.Duration.from(duration)).epochMilliseconds);
};
