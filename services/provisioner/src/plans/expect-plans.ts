import { newId } from '@accessops/db';
import type { WriteContext } from '@accessops/events';
import type { RequestSubmitted } from '@accessops/proto/accessops/events/v1/events_pb';
import { targetOf } from './target-of.ts';

// A submission may come late, from the dead letters: then the job has its id already.
const insert = `insert into plan (request_id, tenant_id, job_id, requester_id, stage_roles, stage_teams, target, status, due_at, created_at, steps, prepared_at)
  select p.request, ?, coalesce((select id from job where job.tenant_id = ? and job.request_id = p.request and job.kind = 'PROVISION'), p.job),
    p.requester, p.roles, p.teams, p.target, p.status, now(), ?, p.steps, p.prepared
  from json_to_recordset(?) as p (request uuid, job uuid, requester uuid, roles jsonb, teams jsonb, target jsonb, status text, steps jsonb,
    prepared timestamptz)
  on conflict do nothing`;

/** What there is to say of access that is there: no connector is asked. */
const extensionOf = ({ duration }: RequestSubmitted, now: Date) => ({
  status: 'READY',
  steps: [`Have the access that is there last ${duration} longer`],
  prepared: now,
});

const rowOf = (submission: RequestSubmitted, now: Date) => ({
  request: submission.requestId,
  job: newId(),
  requester: submission.requesterId,
  roles: [...new Set(submission.stages.flatMap(({ roles }) => roles))],
  teams: [...new Set(submission.stages.flatMap(({ teamId }) => teamId || []))],
  target: targetOf(submission),
  ...(submission.extendsRequestId ? extensionOf(submission, now) : { status: 'PENDING', steps: [], prepared: null }),
});

/** Has plans made for requests that somebody is to decide on, and gives out the ids of their jobs: what a plan names is what will be made. */
export const expectPlans = async ({ em, tenantId, now }: WriteContext, submissions: RequestSubmitted[]): Promise<void> => {
  // Of a version before the connector was told.
  const rows = submissions.filter(({ connector }) => connector).map((submission) => rowOf(submission, now()));
  if (rows.length > 0) await em.execute(insert, [tenantId, tenantId, now(), JSON.stringify(rows)]);
};
