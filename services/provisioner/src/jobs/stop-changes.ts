import type { WriteContext } from '@accessops/events';
import { type ClaimedJob, type ClaimedTask, changeKindsSql, isChange, type Job, type JobKind } from './job.ts';
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

const stop = (which: string) => `
  with open as (
    select id, status from job where ${which} and status in ('QUEUED', 'RUNNING') for update
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
  const which = `grant_id in (${[...grants].map(() => '?').join(', ')}) and kind in (${changeKindsSql})`;
  const stopped = await ctx.em.execute<Stopped[]>(stop(which), [...grants.keys(), error, ctx.now()]);
  const busy = new Map<string, Date>();
  for (const { id, grantId, requestId, kind, before, leasedUntil } of stopped) {
    const until = new Date(leasedUntil);
    if (before === 'RUNNING' && until > (busy.get(grantId) ?? 0)) busy.set(grantId, until);
    emitFailed(grants.get(grantId) ?? ctx, { id, requestId, kind }, before, error);
  }
  return busy;
};

const clearing = `tenant_id = ? and request_id = ? and kind = 'REVOKE' and grant_id is null`;

/**
 * Gives up what takes away the rest of a job that is to run again: it would take away what that makes. Answers until when a worker may be
 * at the target with it.
 */
export const stopClearing = async (
  ctx: WriteContext,
  { tenantId, requestId }: Pick<Job, 'tenantId' | 'requestId'>,
): Promise<Date | undefined> => {
  const error = 'The job whose rest it was to take away runs again';
  const stopped = await ctx.em.execute<Omit<Stopped, 'grantId'>[]>(stop(clearing), [tenantId, requestId, error, ctx.now()]);
  for (const { before, ...job } of stopped) emitFailed(ctx, job, before, error);
  const busy = stopped.filter(({ before }) => before === 'RUNNING').map(({ leasedUntil }) => new Date(leasedUntil));
  return busy.sort((a, b) => b.getTime() - a.getTime())[0];
};

const letEndGoOn = `
  with over as (update job set due_at = now() where id = ? and attempts = ? and status = 'FAILED' returning id)
  update job set due_at = now()
  where grant_id = ? and kind = 'REVOKE' and status = 'QUEUED' and attempts = 0 and not exists (
    select from job other where other.grant_id = job.grant_id and other.kind in (${changeKindsSql}) and other.status = 'FAILED'
      and other.due_at > now() and other.id not in (select id from over))`;

const letRetryGoOn = `
  with over as (update job set due_at = now() where id = ? and attempts = ? and status = 'FAILED' returning tenant_id, request_id)
  update job set due_at = now() from over
  where job.tenant_id = over.tenant_id and job.request_id = over.request_id and kind = 'PROVISION' and status = 'QUEUED' and due_at > now()`;

/** Has what follows wait no longer for an attempt that has come to its own end after it was given up: the end of a grant, or a job that runs again. */
export const letNextGoOn = async (
  { em }: Background,
  jobs: Pick<ClaimedJob | ClaimedTask, 'id' | 'attempts' | 'grantId' | 'kind'>[],
): Promise<void> => {
  for (const { id, attempts, grantId, kind } of jobs) {
    if (isChange(kind)) await em.execute(letEndGoOn, [id, attempts, grantId]);
    if (kind === 'REVOKE' && grantId === null) await em.execute(letRetryGoOn, [id, attempts]);
  }
};
