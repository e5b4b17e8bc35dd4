import type { EntityManager } from '@mikro-orm/postgresql';
import type { Known } from './compare.ts';

// That of `made` itself is looked at by name: whoever locks its row sees it as it is then, and not as it was when the query began.
const isUnderWay = `made.status in ('QUEUED', 'RUNNING') or exists (
  select from job other where other.tenant_id = made.tenant_id and other.request_id = made.request_id and other.status in ('QUEUED', 'RUNNING')
)`;

/** SQL for what has become of the access that the job `made` was to make; see Known. `access_grant` is its grant, if there is one. */
export const stateOf = `case
  when ${isUnderWay} then 'moving'
  when access_grant.status in ('ACTIVE', 'REVOKING', 'REVOKE_FAILED') then 'live'
  else 'over'
end`;

/** SQL: jobs that make access, each with its grant. */
export const madeWithGrant = `job made left join access_grant on access_grant.tenant_id = made.tenant_id and access_grant.request_id = made.request_id`;

/** What is known of these keys, whoever's they are. */
export const knownAccess = (em: EntityManager, keys: string[]): Promise<Known[]> =>
  em.execute<Known[]>(
    `select made.id as key, made.tenant_id as "tenantId", made.spec ->> 'resourceId' as "resourceId", ${stateOf} as state
     from ${madeWithGrant}
     where made.kind = 'PROVISION' and made.id in (select value::uuid from jsonb_array_elements_text(?))`,
    [JSON.stringify(keys)],
  );
