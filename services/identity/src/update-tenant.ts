import { onUnique } from '@accessops/db';
import { AppError } from '@accessops/errors';
import { emit } from '@accessops/events';
import { parseName } from '@accessops/names';
import { TenantUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateTenantRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { changesBetween } from './changes.ts';
import { parseDomain } from './domain.ts';
import { Tenant } from './tenant.ts';

/** Changes name or domain of the caller's tenant; an empty domain means none. Errors: INVALID_FIELDS, DOMAIN_TAKEN, PRECONDITION_FAILED. */
export const updateTenant = async (ctx: Ctx, { name, domain }: UpdateTenantRequest): Promise<Tenant> => {
  const tenant = await ctx.em.findOne(Tenant, { id: ctx.tenantId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!tenant) throw new AppError('TENANT_NOT_FOUND');
  ctx.expectVersion(tenant.version);
  const after = {
    name: name === undefined ? tenant.name : parseName('/name', name),
    domain: domain === undefined ? tenant.domain : parseDomain('/domain', domain),
  };
  const changes = changesBetween({ name: tenant.name, domain: tenant.domain }, after);
  if (Object.keys(changes).length === 0) return tenant;

  tenant.describe(after, ctx.now());
  await ctx.em.flush().catch(onUnique({ tenant_domain: 'DOMAIN_TAKEN' }));
  emit(ctx, TenantUpdatedSchema, { tenantId: tenant.id, status: tenant.status, version: tenant.version }, tenant.id, {
    action: 'TENANT_UPDATED',
    entityType: 'TENANT',
    entityId: tenant.id,
    changes,
  });
  return tenant;
};
