import { AppError, invalidField } from '@accessops/errors';
import { emit } from '@accessops/events';
import { TenantUpdatedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { UpdateTenantRequest } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import { LockMode } from '@mikro-orm/postgresql';
import { changesBetween } from './changes.ts';
import { Tenant } from './tenant.ts';
import { parseName } from './text.ts';

const hostName = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

const parseDomain = (value: string): string => {
  const domain = value.toLowerCase();
  if (domain !== '' && !hostName.test(domain)) throw invalidField('/domain', 'must be a domain name');
  return domain;
};

/** Changes name or domain of the caller's tenant; an empty domain means none. Errors: INVALID_FIELDS, PRECONDITION_FAILED. */
export const updateTenant = async (ctx: Ctx, { name, domain }: UpdateTenantRequest): Promise<Tenant> => {
  const tenant = await ctx.em.findOne(Tenant, { id: ctx.tenantId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!tenant) throw new AppError('TENANT_NOT_FOUND');
  ctx.expectVersion(tenant.version);
  const after = {
    name: name === undefined ? tenant.name : parseName('/name', name),
    domain: domain === undefined ? tenant.domain : parseDomain(domain),
  };
  const changes = changesBetween({ name: tenant.name, domain: tenant.domain }, after);
  if (Object.keys(changes).length === 0) return tenant;

  tenant.describe(after, ctx.now());
  emit(ctx, TenantUpdatedSchema, { tenantId: tenant.id, status: tenant.status }, tenant.id, {
    action: 'TENANT_UPDATED',
    entityType: 'TENANT',
    entityId: tenant.id,
    changes,
  });
  return tenant;
};
