import type { EntityManager } from '@mikro-orm/postgresql';

/** What is told of a user; `version` only grows. */
export interface Snapshot {
  id: string;
  email: string;
  active: boolean;
  orgRoles: string[];
  teamIds: string[];
  version: number;
}

/** Takes a snapshot over unless a newer one, or the same, is known; answers whether it was news. */
export const knowPerson = async (em: EntityManager, tenantId: string, user: Snapshot): Promise<boolean> => {
  const taken = await em.execute<unknown[]>(
    `insert into person as known (tenant_id, id, email, active, org_roles, team_ids, version)
     values (?, ?, ?, ?, array(select jsonb_array_elements_text(?)), array(select jsonb_array_elements_text(?)), ?)
     on conflict (tenant_id, id) do update set email = excluded.email, active = excluded.active, org_roles = excluded.org_roles,
       team_ids = excluded.team_ids, version = excluded.version
     where known.version < excluded.version
     returning id`,
    [tenantId, user.id, user.email, user.active, JSON.stringify(user.orgRoles), JSON.stringify(user.teamIds), user.version],
  );
  return taken.length > 0;
};
