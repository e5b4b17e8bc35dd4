import { type ListDefinition, listPage } from '@accessops/db';
import type { ListMyTenantsRequest, ListMyTenantsResponseSchema } from '@accessops/proto/accessops/identity/v1/identity_pb';
import type { Ctx } from '@accessops/service';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { membershipsOf } from './memberships.ts';
import { Tenant } from './tenant.ts';

const ownTenants: ListDefinition<Tenant> = {
  entity: Tenant,
  fields: { id: { type: 'uuid' }, slug: { type: 'text' }, name: { type: 'text' }, status: { type: 'text' } },
  defaultSort: 'slug',
};

/** The tenants that the caller belongs to. Needs a transaction across tenants. */
export const listMyTenants = async (
  { em, principal }: Ctx,
  { query }: ListMyTenantsRequest,
): Promise<MessageInitShape<typeof ListMyTenantsResponseSchema>> => {
  const memberships = (await membershipsOf(em, principal.id)).filter(({ active }) => active);
  const rolesIn = new Map(memberships.map(({ tenantId, orgRoles }) => [tenantId, orgRoles]));
  const { items, next } = await listPage(em, ownTenants, query, { id: { $in: [...rolesIn.keys()] } });
  return { items: items.map(({ id, slug, name, status }) => ({ id, slug, name, status, orgRoles: rolesIn.get(id) })), page: { next } };
};
