import type { EntityManager } from '@mikro-orm/postgresql';
import type { Site } from '../connector.ts';
import type { Whose } from './compare.ts';

/** A target of a resource, with the keys of its active grants. */
export interface SiteOfResource {
  connector: string;
  site: Site;
}

interface Row {
  connector: string;
  config: Record<string, unknown>;
  resourceKey: string;
  tenantSlug: string | null;
  expected: string[] | null;
}

const find = `
  with mine as (
    (select access, status from access_grant where tenant_id = ? and resource_id = ? and status in ('ACTIVE', 'REVOKING', 'REVOKE_FAILED'))
    union all
    (select access, status from access_grant where tenant_id = ? and resource_id = ? order by activated_at desc, id desc limit 1)
  )
  select access ->> 'connector' as connector, access -> 'config' as config, min(access ->> 'resourceKey') as "resourceKey",
    (select slug from tenant where tenant_id = ?) as "tenantSlug",
    array_agg(distinct access ->> 'key') filter (where status = 'ACTIVE') as expected
  from mine group by 1, 2`;

/**
 * Where access to a resource is in force, and where it was given last: a configuration that is changed holds for new grants, the others stay
 * where they are.
 */
export const findSites = async (em: EntityManager, { tenantId, resourceId }: Whose): Promise<SiteOfResource[]> => {
  const rows = await em.execute<Row[]>(find, [tenantId, resourceId, tenantId, resourceId, tenantId]);
  return rows.map(({ connector, config, resourceKey, tenantSlug, expected }) => ({
    connector,
    site: { tenantId, tenantSlug, resourceKey, config, expected: expected ?? [] },
  }));
};
