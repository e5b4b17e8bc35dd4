import { executePrepared } from '@accessops/db';
import { type Outbox, unitOfWork } from '@accessops/events';
import type { EntityManager } from '@mikro-orm/postgresql';
import { finalFence } from '../connector.ts';
import type { Sealed } from '../credentials/vault.ts';
import { lossOf } from '../standing.ts';
import type { ClaimedJob, ClaimedTask } from './job.ts';
import { emitProgress } from './job-events.ts';
import { placesAtTarget, queues, type Room } from './queue.ts';

type Claimed = (ClaimedJob | ClaimedTask) & { before: string; planned: boolean };

/** Times come as the database writes them. */
type DueRow = Claimed & { waitingSince: string | null; grant: { endsAt: string; inForce: boolean } | null };

export interface Claim {
  /** Names the process; for operators. */
  worker: string;
  /** How many jobs of each queue the worker has room for. */
  room: Room;
  leaseMs: number;
  now: () => Date;
}

const due = `status in ('QUEUED', 'RUNNING') and due_at <= now()`;
const rooms = `(values ('high', $1::integer), ('default', $2::integer), ('low', $3::integer)) as room (queue, free)`;

// What is left of a job that has failed is taken away as by one more attempt at it: if an admin has it tried again, that comes later.
const fenceOfRevoke = `coalesce((select attempts from job made where job.grant_id is null and made.id = (job.spec ->> 'key')::uuid), ${finalFence})`;

// The clock of leases and pauses is the database's: processes whose clocks disagree still agree on it.
const take = `
  update job set status = 'RUNNING', attempts = attempts + 1, worker = $4, due_at = now() + $5 * interval '1 millisecond',
    fence = case kind when 'PROVISION' then attempts + 1 when 'REVOKE' then ${fenceOfRevoke} else nextval('access_fence') end,
    started_at = coalesce(started_at, $6), unsure = unsure or due.status = 'RUNNING'
  from due where job.id = due.id and job.id = any(array(select id from due))
  returning job.id, tenant_id as "tenantId", request_id as "requestId", grant_id as "grantId", kind, queue, target, attempts, fence,
    max_attempts as "maxAttempts", cancelled, last_error as "lastError", requester_id as "requesterId", origin, spec, steps, unsure, waiting_since as "waitingSince", due.status as "before",
    (select slug from tenant where tenant.tenant_id = job.tenant_id) as "tenantSlug",
    exists (select from saved_plan where saved_plan.job_id = job.id) as planned,
    (select json_build_object('endsAt', coalesce(lasts_until, expires_at), 'inForce', access_grant.status = 'ACTIVE' and expires_at > $6)
      from access_grant where access_grant.id = job.grant_id) as grant,
    ${lossOf('job')} as loss`;

const grantOf = (grant: DueRow['grant']) => grant && { ...grant, endsAt: new Date(grant.endsAt) };

const claimDue = `
  with due as materialized (
    select chosen.* from ${rooms} cross join lateral (
      select id, status from job where job.queue = room.queue and target is null and ${due}
      order by due_at limit room.free for update skip locked
    ) as chosen
  ) ${take}`;

/** Targets that have something to do; whoever has the lock of one counts and gives away its places. */
const lockTargets = `
  select name from job_target where exists (select from job where target = name and queue in (select queue from ${rooms} where free > 0) and ${due})
  for update skip locked`;

// What was claimed last is counted because this is a statement of its own: it sees what had been committed when the locks were taken.
const claimAtTargets = `
  with due as materialized (
    select id, status from (
      select chosen.*, room.free, row_number() over (partition by room.queue order by chosen.due_at) as nth
      from ${rooms} join (values ('high', ${placesAtTarget.high}), ('default', ${placesAtTarget.default}), ('low', ${placesAtTarget.low})) as places (queue, number)
        using (queue)
      cross join json_array_elements_text($7) as locked (target)
      cross join lateral (
        select count(*) as number from job
        where job.target = locked.target and job.queue = room.queue and status = 'RUNNING' and due_at > now()
      ) as taken
      cross join lateral (
        select id, status, due_at from job where job.target = locked.target and job.queue = room.queue and ${due}
        order by due_at limit least(room.free, greatest(places.number - taken.number, 0)) for update skip locked
      ) as chosen
    ) as candidate where nth <= free
  ) ${take}`;

const sealedOf = async (em: EntityManager, table: 'job_answer' | 'saved_plan', jobIds: string[]): Promise<Map<string, Sealed>> => {
  if (jobIds.length === 0) return new Map();
  const rows = await em.execute<(Sealed & { jobId: string })[]>(
    `select job_id as "jobId", key_id as "keyId", data_key as "dataKey", iv, ciphertext, tag from ${table}
     where job_id in (${jobIds.map(() => '?').join(', ')})`,
    jobIds,
  );
  return new Map(rows.map(({ jobId, ...sealed }) => [jobId, sealed]));
};

/**
 * Hands jobs what was kept for them: what targets have told, to those that waited for it, and their plans. It stays where it is until an
 * attempt is over: another worker may need it.
 */
const withKept = async (em: EntityManager, jobs: Claimed[]): Promise<Claimed[]> => {
  const idsOf = (wanted: Claimed[]) => wanted.map(({ id }) => id);
  const answers = await sealedOf(em, 'job_answer', idsOf(jobs.filter(({ waitingSince }) => waitingSince)));
  const plans = await sealedOf(em, 'saved_plan', idsOf(jobs.filter(({ planned }) => planned)));
  return jobs.map((job) => ({ ...job, answer: answers.get(job.id) ?? null, savedPlan: plans.get(job.id) ?? null }));
};

/** Jobs at targets come on top of those that have none: neither takes all the room from the other. */
const dueJobs = async (em: EntityManager, { worker, room, leaseMs, now }: Claim): Promise<DueRow[]> => {
  const free = queues.map((queue) => room[queue]);
  const taking = [...free, worker, leaseMs, now()];
  const jobs = await executePrepared<DueRow>(em, claimDue, taking);
  const targets = await executePrepared<{ name: string }>(em, lockTargets, free);
  if (targets.length === 0) return jobs;
  const names = JSON.stringify(targets.map(({ name }) => name));
  return [...jobs, ...(await executePrepared<DueRow>(em, claimAtTargets, [...taking, names]))];
};

/**
 * Takes jobs that are due: queued ones, and those whose worker has let its lease run out; of each queue as many as there is room for,
 * at each target as many as have places there. Each start is told, the first as JOB_STARTED, later ones as JOB_RESUMED. Many jobs,
 * one transaction.
 */
export const claimJobs = (outbox: Outbox, claim: Claim): Promise<(ClaimedJob | ClaimedTask)[]> =>
  unitOfWork(outbox, 'all-tenants', async (em) => {
    const { now } = claim;
    const claimed = await withKept(
      em,
      (await dueJobs(em, claim)).map((job) => ({
        ...job,
        grant: grantOf(job.grant),
        waitingSince: job.waitingSince ? new Date(job.waitingSince) : null,
        answer: null,
        savedPlan: null,
      })),
    );
    for (const job of claimed) {
      emitProgress({ em, now }, job, 'RUNNING', job.attempts === 1 ? 'JOB_STARTED' : 'JOB_RESUMED', {
        status: { before: job.before, after: 'RUNNING' },
        attempts: { before: job.attempts - 1, after: job.attempts },
      });
    }
    return claimed;
  });

const mine = 'jsonb_to_recordset(?) as mine (id uuid, attempts integer)';

const renew = `
  update job set due_at = now() + ? * interval '1 millisecond' from ${mine}
  where job.id = mine.id and job.attempts = mine.attempts and job.status = 'RUNNING' returning job.id`;

// Given up meanwhile: what is begun at the target may come to its end, for as long as nobody else goes there. A statement of its own:
// it sees the end that the one before has waited for.
const spare = `
  select job.id from job join ${mine} on job.id = mine.id and job.attempts = mine.attempts
  where status = 'FAILED' and due_at > now() + ? / 2 * interval '1 millisecond'`;

/** Prolongs the leases of jobs that this worker still has; answers their ids. The others have been taken over. */
export const renewLeases = (outbox: Outbox, jobs: { id: string; attempts: number }[], leaseMs: number): Promise<Set<string>> =>
  unitOfWork(outbox, 'all-tenants', async (em) => {
    const held = JSON.stringify(jobs);
    const renewed = await em.execute<{ id: string }[]>(renew, [leaseMs, held]);
    const spared = await em.execute<{ id: string }[]>(spare, [held, leaseMs]);
    return new Set([...renewed, ...spared].map(({ id }) => id));
  });
