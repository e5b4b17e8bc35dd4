import { executePrepared } from '@accessops/db';
import { emit } from '@accessops/events';
import { GrantEndedSchema, GrantRevocationChangedSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { ClaimedJob } from '../jobs/job.ts';
import { asService, type Background, emitProgress } from '../jobs/job-events.ts';
import type { SettlementOf } from '../jobs/settle-jobs.ts';
import { moneyToProto } from './money.ts';

/** SQL: when people are told that a target will not let go, after attempts in vain or while it promises to. It is asked on. */
const isStuck = { failed: 'job.attempts >= 5', waiting: `job.waiting_since <= now() - interval '5 minutes'` };

const conclude = `
  with gone as (
    select * from jsonb_to_recordset($1) as gone (job_id uuid, attempts integer, steps jsonb)
  ), done as (
    update job set status = 'SUCCEEDED', finished_at = $2, steps = gone.steps
    from gone where job.id = gone.job_id and job.attempts = gone.attempts and job.status = 'RUNNING' and job.id = any($3::uuid[])
    returning job.id, job.grant_id
  ), before as (
    select access_grant.id, access_grant.status from access_grant join done on done.grant_id = access_grant.id
    where access_grant.id = any($4::uuid[])
  ), ended as (
    update access_grant set status = case end_reason when 'EXPIRY' then 'EXPIRED' else 'REVOKED' end, ended_at = $2, version = version + 1
    from before where access_grant.id = before.id and access_grant.id = any($4::uuid[]) and access_grant.status in ('REVOKING', 'REVOKE_FAILED')
    returning access_grant.id, before.status as "before", access_grant.status, activated_at as "activatedAt"
  )
  select done.id as "jobId", ended.* from done left join ended on ended.id = done.grant_id`;

interface Ended {
  jobId: string;
  id: string | null;
  before: string;
  status: string;
  activatedAt: string;
}

/** Ends grants whose access the target has been seen without: EXPIRED or REVOKED, and their jobs SUCCEEDED. */
export const concludeGrants = async (background: Background, settlements: SettlementOf<'revoked'>[]): Promise<void> => {
  if (settlements.length === 0) return;
  const now = background.now();
  const rows = settlements.map(({ job, steps }) => ({ job_id: job.id, attempts: job.attempts, steps }));
  const ended = await executePrepared<Ended>(background.em, conclude, [
    JSON.stringify(rows),
    now,
    rows.map((row) => row.job_id),
    settlements.map(({ job }) => job.grantId),
  ]);
  const jobs = new Map(settlements.map(({ job }) => [job.id, job]));
  for (const { jobId, id, before, status, activatedAt } of ended) {
    const job = jobs.get(jobId);
    if (!job) continue;
    emitProgress(background, job, 'SUCCEEDED', 'JOB_SUCCEEDED', { status: { before: 'RUNNING', after: 'SUCCEEDED' } });
    // Closed before by an admin: now the target has let go as well.
    if (id === null) continue;
    const costing = {
      activatedAt: timestampFromDate(new Date(activatedAt)),
      endedAt: timestampFromDate(now),
      pricePerHour: moneyToProto(job.spec.pricePerHour),
    };
    emit(asService(background, job), GrantEndedSchema, { grantId: id, requestId: job.requestId, status, ...costing }, job.requestId, {
      action: status === 'EXPIRED' ? 'GRANT_EXPIRED' : 'GRANT_REVOKED',
      entityType: 'GRANT',
      entityId: id,
      changes: { status: { before, after: status } },
    });
  }
};

/** Tells, once, of grants whose target has refused to let go often enough, or promised it for long enough. */
export const markRevokeFailed = async (background: Background, jobs: ClaimedJob[], why: keyof typeof isStuck): Promise<void> => {
  for (const job of jobs.filter(({ kind }) => kind === 'REVOKE')) {
    const marked = await background.em.execute<{ id: string; since: string }[]>(
      `update access_grant set status = 'REVOKE_FAILED', version = access_grant.version + 1 from job
       where job.id = ? and ${isStuck[why]} and access_grant.id = job.grant_id and access_grant.status = 'REVOKING'
       returning access_grant.id, job.created_at as since`,
      [job.id],
    );
    for (const { id, since } of marked) {
      const { resourceKey, role } = job.spec;
      const stuck = { resourceKey, role, since: timestampFromDate(new Date(since)) };
      const message = { grantId: id, requestId: job.requestId, status: 'REVOKE_FAILED', ...stuck };
      emit(asService(background, job), GrantRevocationChangedSchema, message, job.requestId, {
        action: 'GRANT_REVOKE_FAILED',
        entityType: 'GRANT',
        entityId: id,
        changes: { status: { before: 'REVOKING', after: 'REVOKE_FAILED' } },
      });
    }
  }
};
