import { type Outbox, unitOfWork } from '@accessops/events';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Sealed } from '../credentials/vault.ts';
import { lossOf } from '../standing.ts';
import type { ClaimedJob } from './job.ts';
import { emitProgress } from './job-events.ts';

type Claimed = ClaimedJob & { before: string };

/** Times come as the database writes them. */
type DueRow = Omit<Claimed, 'answer' | 'waitingSince'> & { waitingSince: string | null };

export interface Claim {
  /** Names the process; for operators. */
  worker: string;
  limit: number;
  leaseMs: number;
  now: () => Date;
}

// The clock of leases and pauses is the database's: processes whose clocks disagree still agree on it.
const claimDue = `
  with due as materialized (
    select id, status from job
    where status in ('QUEUED', 'RUNNING') and due_at <= now()
    order by (case queue when 'high' then 0 when 'default' then 1 else 2 end), due_at
    limit ? for update skip locked
  )
  update job set status = 'RUNNING', attempts = attempts + 1, worker = ?, due_at = now() + ? * interval '1 millisecond',
    started_at = coalesce(started_at, ?), unsure = unsure or due.status = 'RUNNING'
  from due where job.id = due.id
  returning job.id, tenant_id as "tenantId", request_id as "requestId", grant_id as "grantId", kind, attempts,
    max_attempts as "maxAttempts", cancelled, last_error as "lastError", requester_id as "requesterId", origin, spec, unsure, waiting_since as "waitingSince", due.status as "before",
    (select slug from tenant where tenant.tenant_id = job.tenant_id) as "tenantSlug",
    ${lossOf('job')} as loss`;

/** Hands what targets have told to the jobs that waited for it. It stays there until an attempt is over: another worker may need it. */
const withAnswers = async (em: EntityManager, jobs: Claimed[]): Promise<Claimed[]> => {
  const waiting = jobs.filter(({ waitingSince }) => waitingSince).map(({ id }) => id);
  if (waiting.length === 0) return jobs;
  const told = await em.execute<(Sealed & { jobId: string })[]>(
    `select job_id as "jobId", key_id as "keyId", data_key as "dataKey", iv, ciphertext, tag from job_answer
     where job_id in (${waiting.map(() => '?').join(', ')})`,
    waiting,
  );
  const answers = new Map(told.map(({ jobId, ...sealed }) => [jobId, sealed]));
  return jobs.map((job) => ({ ...job, answer: answers.get(job.id) ?? null }));
};

/**
 * Takes jobs that are due: queued ones, and those whose worker has let its lease run out. Each start is told, the first
 * as JOB_STARTED, later ones as JOB_RESUMED. Many jobs, one transaction.
 */
export const claimJobs = (outbox: Outbox, { worker, limit, leaseMs, now }: Claim): Promise<ClaimedJob[]> =>
  unitOfWork(outbox, 'all-tenants', async (em) => {
    const due = await em.execute<DueRow[]>(claimDue, [limit, worker, leaseMs, now()]);
    const claimed = await withAnswers(
      em,
      due.map((job) => ({ ...job, waitingSince: job.waitingSince ? new Date(job.waitingSince) : null, answer: null })),
    );
    for (const job of claimed) {
      emitProgress({ em, now }, job, 'RUNNING', job.attempts === 1 ? 'JOB_STARTED' : 'JOB_RESUMED', {
        status: { before: job.before, after: 'RUNNING' },
        attempts: { before: job.attempts - 1, after: job.attempts },
      });
    }
    return claimed;
  });

/** Prolongs the leases of jobs that this worker still has; answers their ids. The others have been taken over. */
export const renewLeases = (outbox: Outbox, jobs: { id: string; attempts: number }[], leaseMs: number): Promise<Set<string>> =>
  unitOfWork(outbox, 'all-tenants', async (em) => {
    const kept = await em.execute<{ id: string }[]>(
      `update job set due_at = now() + ? * interval '1 millisecond'
       from jsonb_to_recordset(?) as mine (id uuid, attempts integer)
       where job.id = mine.id and job.attempts = mine.attempts and job.status = 'RUNNING' returning job.id`,
      [leaseMs, JSON.stringify(jobs)],
    );
    return new Set(kept.map(({ id }) => id));
  });
