import { executePrepared, newId } from '@accessops/db';
import type { WriteContext } from '@accessops/events';
import type { RequestSubmitted } from '@accessops/proto/accessops/events/v1/events_pb';
import type { Connectors } from '../connector.ts';
import type { Vault } from '../credentials/vault.ts';
import { makePlan, type Planning } from './make-plan.ts';
import type { PlanTarget } from './planned.ts';
import { recordOf } from './record-plans.ts';
import { targetOf } from './target-of.ts';

/** What making plans takes. */
export interface PlanParts {
  connectors: Connectors;
  vault: Vault;
  /** Aborts plans that are being made when the service stops. */
  stopping: AbortSignal;
}

interface Known {
  requestId: string;
  jobId: string | null;
  tenantSlug: string | null;
}

// A submission may come late, from the dead letters: then the job has its id already.
const find = `
  select wanted.id as "requestId", (select slug from tenant where tenant.tenant_id = $1) as "tenantSlug",
    (select job.id from job where job.tenant_id = $1 and job.request_id = wanted.id and job.kind = 'PROVISION') as "jobId"
  from unnest($2::uuid[]) as wanted (id)`;

const insert = `insert into plan (request_id, tenant_id, job_id, requester_id, stage_roles, stage_teams, target, due_at, created_at, status, steps, error, prepared_at)
  select p.request, $1, p.job, p.requester, p.roles, p.teams, p.target, now(), $2, p.status, p.steps, p.error, p.prepared_at
  from json_to_recordset($3) as p (request uuid, job uuid, requester uuid, roles jsonb, teams jsonb, target jsonb, status text, steps jsonb,
    error text, prepared_at timestamptz)
  on conflict do nothing`;

const notYet: Planning = { status: 'PENDING', error: '', pauseMs: 0 };

/** What there is to say at once; what takes time, or does not work at once, is left to the planner. */
const planOf = async (
  { connectors, vault, stopping }: PlanParts,
  submission: RequestSubmitted,
  known: Known & { jobId: string; target: PlanTarget; tenantId: string },
): Promise<Planning> => {
  // Of access that is there no connector is asked.
  if (submission.extendsRequestId)
    return { status: 'READY', steps: [`Have the access that is there last ${submission.duration} longer`], sealed: null };
  const { connector, config } = known.target;
  if (connectors.get(connector)?.planTakesTime?.(config)) return notYet;
  const planning = await makePlan(connectors, vault, { ...known, requesterId: submission.requesterId, attempts: 1 }, stopping);
  return planning.status === 'PENDING' ? notYet : planning;
};

/** Has plans made for requests that somebody is to decide on, and gives out the ids of their jobs: what a plan names is what will be made. */
export const expectPlans = async (
  { em, tenantId, now }: WriteContext,
  parts: PlanParts,
  submissions: RequestSubmitted[],
): Promise<void> => {
  // Of a version before the connector was told.
  const wanted = new Map(submissions.filter(({ connector }) => connector).map((submission) => [submission.requestId, submission]));
  if (wanted.size === 0) return;
  const found = await executePrepared<Known>(em, find, [tenantId, [...wanted.keys()]]);
  const rows = [];
  for (const known of found) {
    const submission = wanted.get(known.requestId);
    if (!submission) continue;
    const { requestId, requesterId, stages } = submission;
    const jobId = known.jobId ?? newId();
    const target = targetOf(submission);
    const planning = await planOf(parts, submission, { ...known, jobId, target, tenantId });
    rows.push({
      request: requestId,
      job: jobId,
      requester: requesterId,
      roles: [...new Set(stages.flatMap(({ roles }) => roles))],
      teams: [...new Set(stages.flatMap(({ teamId }) => teamId || []))],
      target,
      ...recordOf(planning, now()),
    });
  }
  await executePrepared(em, insert, [tenantId, now(), JSON.stringify(rows)]);
};
