import { type AuditedChange, emit } from '@accessops/events';
import { LicenseChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { changesBetween } from '../changes.ts';
import type { Entitlement, License } from './license.ts';

const tell = (ctx: Ctx, { tenantId, tier, flags }: License, action: string, changes: AuditedChange['changes']): void =>
  // The tenant's own audit log shows what others did to its license.
  emit({ ...ctx, tenantId }, LicenseChangedSchema, { tenantId, tier, flags }, `license ${tenantId}`, {
    action,
    entityType: 'LICENSE',
    entityId: tenantId,
    changes,
  });

/** Gives a locked license another tier and other flags, and tells of it; answers false when it had them. */
export const changeLicense = (ctx: Ctx, license: License, after: Entitlement): boolean => {
  const { tier, flags } = license;
  const changes = changesBetween({ tier, flags }, after);
  if (Object.keys(changes).length === 0) return false;
  license.become(after, ctx.now());
  tell(ctx, license, 'LICENSE_CHANGED', changes);
  return true;
};

/** Tells that Stripe has told of a license and nothing of it has changed. */
export const tellSynced = (ctx: Ctx, license: License): void =>
  tell(ctx, license, 'LICENSE_SYNCED', { status: { after: license.lastSyncStatus }, eventId: { after: license.lastSyncEvent } });
