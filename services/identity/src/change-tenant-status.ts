import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { TenantUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Ctx } from '@accessops/service';
import { raw } from '@mikro-orm/postgresql';
import { findTenant } from './find-tenant.ts';
import { Tenant, type TenantStatus } from './tenant.ts';
import { isId } from './text.ts';

const change = async (ctx: Ctx, id: string, from: TenantStatus, to: TenantStatus): Promise<Tenant> => {
  const values = { status: to, version: raw('version + 1'), updatedAt: ctx.now() };
  const changed = isId(id) ? await ctx.em.nativeUpdate(Tenant, { id, status: from }, values) : 0;
  const tenant = await findTenant(ctx.em, id);
  if (changed === 0) throw new AppError(to === 'SUSPENDED' ? 'TENANT_ALREADY_SUSPENDED' : 'TENANT_ALREADY_ACTIVE');
  // The tenant's own audit log shows what platform staff did to it.
  emit({ ...ctx, tenantId: tenant.id }, TenantUpdatedSchema, { tenantId: tenant.id, status: to, version: tenant.version }, tenant.id, {
    action: to === 'SUSPENDED' ? 'TENANT_SUSPENDED' : 'TENANT_ACTIVATED',
    entityType: 'TENANT',
    entityId: tenant.id,
    changes: { status: { before: from, after: to } },
  });
  return tenant;
};

/** Suspends a tenant: its people are refused everywhere. Errors: TENANT_NOT_FOUND, TENANT_ALREADY_SUSPENDED. */
export const suspendTenant = (ctx: Ctx, id: string): Promise<Tenant> => change(ctx, id, 'ACTIVE', 'SUSPENDED');

/** Ends a suspension. Errors: TENANT_NOT_FOUND, TENANT_ALREADY_ACTIVE. */
export const activateTenant = (ctx: Ctx, id: string): Promise<Tenant> => change(ctx, id, 'SUSPENDED', 'ACTIVE');
