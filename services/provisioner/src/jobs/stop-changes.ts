import type { WriteContext } from '@accessops/events';
import { type ClaimedJob, type ClaimedTask, changeKindsSql, isChange, type JobKind } from './job.ts';
import { type Background, emitFailed } from './job-events.ts';

interface Stopped {
  id: string;
  grantId: string;
  requestId: string;
  kind: JobKind;
  before: string;
  /** As the database writes it. */
  leasedUntil: string;
}

const stop = (count: number) => `
  with open as (
    select id, status from job where grant_id in (${Array(count).fill('?').join(', ')}) and kind in (${changeKindsSql}) and status in ('QUEUED', 'RUNNING')
    for update
  )
  update job set status = 'FAILED', last_error = ?, finished_at = ?, due_at = case open.status when 'RUNNING' then due_at else now() end
  from open where job.id = open.id
  returning job.id, grant_id as "grantId", request_id as "requestId", kind, open.status as before, due_at as "leasedUntil"`;

/**
 * Gives up jobs that change access which is to end now. Answers, for grants that a worker is busy with at this moment, until when it may be
 * at the target: access is not taken away before, or a target that remembers nothing would be given it again.
 */
export const stopChanges = async (grants: Map<string, WriteContext>): Promise<Map<string, Date>> => {
  const [ctx] = grants.values();
  if (!ctx) return new Map();
  const error = 'The access has ended meanwhile';
  const stopped = await ctx.em.execute<Stopped[]>(stop(grants.size), [...grants.keys(), error, ctx.now()]);
  const busy = new Map<string, Date>();
  for (const { id, grantId, requestId, kind, before, leasedUntil } of stopped) {
    const until = new Date(leasedUntil);
    if (before === 'RUNNING' && until > (busy.get(grantId) ?? 0)) busy.set(grantId, until);
    emitFailed(grants.get(grantId) ?? ctx, { id, requestId, kind }, before, error);
  }
  return busy;
};

const letEndGoOn = `
  with over as (update job set due_at = now() where id = ? and attempts = ? and status = 'FAILED' returning id)
  update job set due_at = now()
  where grant_id = ? and kind = 'REVOKE' and status = 'QUEUED' and attempts = 0 and not exists (
    select from job other where other.grant_id = job.grant_id and other.kind in (${changeKindsSql}) and other.status = 'FAILED'
      and other.due_at > now() and other.id not in (select id from over))`;

/** Has the end of a grant wait no longer for an attempt that has come to its own end after it was given up. */
export const letEndsGoOn = async (
  { em }: Background,
  jobs: Pick<ClaimedJob | ClaimedTask, 'id' | 'attempts' | 'grantId' | 'kind'>[],
): Promise<void> => {
  for (const { id, attempts, grantId, kind } of jobs) {
    if (isChange(kind)) await em.execute(letEndGoOn, [id, attempts, grantId]);
  }
};
