import { newId } from '@accessops/db';
import type { Event, WriteContext } from '@accessops/events';
import type { Spec } from '../jobs/job.ts';
import { queueJobs } from '../jobs/queue-jobs.ts';
import type { Whose } from './compare.ts';
import { madeWithGrant, stateOf } from './known-access.ts';
import type { Missing } from './reconciliation.ts';

interface GrantRow {
  grantId: string;
  requestId: string;
  holderId: string;
  role: string;
  access: Spec;
  origin: Event['origin'];
}

// Whoever ends a grant changes its row first, so while it is locked here it does not end.
const lockActive = `
  select id as "grantId", request_id as "requestId", holder_id as "holderId", role, access, origin
  from access_grant
  where tenant_id = ? and resource_id = ? and access ->> 'key' in (select value from jsonb_array_elements_text(?))
    and status = 'ACTIVE' and expires_at > ?
    and not exists (select from job where job.grant_id = access_grant.id and job.status in ('QUEUED', 'RUNNING'))
  order by id for update`;

/** Queues the jobs that put back what is missing, of those grants only that are active at this moment. */
export const reapply = async (ctx: WriteContext, { tenantId, resourceId }: Whose, keys: readonly string[]): Promise<Missing[]> => {
  if (keys.length === 0) return [];
  const grants = await ctx.em.execute<GrantRow[]>(lockActive, [tenantId, resourceId, JSON.stringify(keys), ctx.now()]);
  const queueings = grants.map(({ grantId, requestId, holderId, access: spec }) => ({
    ctx,
    job: { id: newId(), requestId, grantId, kind: 'REAPPLY' as const, requesterId: holderId, spec },
  }));
  await queueJobs(queueings);
  return grants.map(({ grantId, holderId, role }, at) => ({ grantId, holderId, role, jobId: queueings[at]?.job.id ?? '' }));
};

interface JobRow {
  key: string;
  requestId: string;
  requesterId: string;
  grantId: string | null;
  spec: Spec;
}

// Whoever starts the job again changes its row first.
const lockOver = `
  select made.id as key, made.request_id as "requestId", made.requester_id as "requesterId", access_grant.id as "grantId",
    coalesce(access_grant.access, made.spec) as spec
  from ${madeWithGrant}
  where made.tenant_id = ? and made.spec ->> 'resourceId' = ? and made.kind = 'PROVISION'
    and made.id in (select value::uuid from jsonb_array_elements_text(?)) and ${stateOf} = 'over'
  order by made.id for update of made`;

// What takes the rest away comes after all attempts at the job, and before those of a retry.
const countAttempt = `
  update job set attempts = attempts + 1 where id in (select value::uuid from jsonb_array_elements_text(?)) and status = 'FAILED'`;

/** Queues the jobs that take away what is left over, unless a grant or another job has come to stand for it meanwhile. */
export const remove = async (ctx: WriteContext, { tenantId, resourceId }: Whose, keys: readonly string[]): Promise<Map<string, string>> => {
  if (keys.length === 0) return new Map();
  const over = await ctx.em.execute<JobRow[]>(lockOver, [tenantId, resourceId, JSON.stringify(keys)]);
  const failed = over.filter(({ grantId }) => grantId === null).map(({ key }) => key);
  if (failed.length > 0) await ctx.em.execute(countAttempt, [JSON.stringify(failed)]);
  const queueings = over.map(({ requestId, requesterId, grantId, spec }) => ({
    ctx,
    job: { id: newId(), requestId, grantId, kind: 'REVOKE' as const, requesterId, spec },
  }));
  await queueJobs(queueings);
  return new Map(over.map(({ key }, at) => [key, queueings[at]?.job.id ?? '']));
};
