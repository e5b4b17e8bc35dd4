import { type Outbox, unitOfWork } from '@accessops/events';
import type { ClaimedPlan } from './planned.ts';

// Longer than most targets take; of two that make one plan after all, the first to be ready counts.
const leaseMs = 60_000;

// What was kept for a job that is over is a secret that nobody needs any more: it goes on the way.
const claimDue = `
  with over as (
    delete from saved_plan using job where saved_plan.job_id = job.id and job.status in ('SUCCEEDED', 'FAILED')
  ), due as materialized (
    select request_id from plan where status = 'PENDING' and due_at <= now() order by due_at limit ? for update skip locked
  )
  update plan set attempts = attempts + 1, due_at = now() + ${leaseMs} * interval '1 millisecond'
  from due where plan.request_id = due.request_id
  returning plan.request_id as "requestId", tenant_id as "tenantId", job_id as "jobId", requester_id as "requesterId", target, attempts,
    (select slug from tenant where tenant.tenant_id = plan.tenant_id) as "tenantSlug"`;

/** Takes plans that are to be made. */
export const claimPlans = (outbox: Outbox, limit: number): Promise<ClaimedPlan[]> =>
  unitOfWork(outbox, 'all-tenants', (em) => em.execute<ClaimedPlan[]>(claimDue, [limit]));
