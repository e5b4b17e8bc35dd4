import type { EntityManager } from '@mikro-orm/postgresql';
import type { OrgRole } from './org-role.ts';
import type { TenantStatus } from './tenant.ts';

/** A person's place in one tenant, as a session needs it. */
export interface Membership {
  tenantId: string;
  slug: string;
  status: TenantStatus;
  active: boolean;
  orgRoles: OrgRole[];
  /** Whether there are permissions of custom roles, whatever they are. */
  hasPermissions: boolean;
  firstName: string;
  lastName: string;
}

/**
 * A person's memberships in all tenants; their rows stay as they are until the transaction ends, so that nobody who is being
 * deactivated gets a session at the same moment. Needs a transaction across tenants.
 */
export const membershipsOf = (em: EntityManager, accountId: string): Promise<Membership[]> =>
  em.execute<Membership[]>(
    `select u.tenant_id as "tenantId", t.slug, t.status, u.active, u.org_roles as "orgRoles", u.first_name as "firstName", u.last_name as "lastName",
            cardinality(resolve_permissions(u.tenant_id, u.id)) > 0 as "hasPermissions"
       from app_user u join tenant t on t.id = u.tenant_id
      where u.id = ? order by t.slug for share of u`,
    [accountId],
  );

/** The tenants that a person is an active user of. Needs a transaction across tenants. */
export const tenantsOf = async (em: EntityManager, accountId: string): Promise<string[]> => {
  const rows = await em.execute<{ tenant_id: string }[]>('select tenant_id from app_user where id = ? and active', [accountId]);
  return rows.map(({ tenant_id: tenantId }) => tenantId);
};
