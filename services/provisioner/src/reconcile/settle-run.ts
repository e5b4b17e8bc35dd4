import { emit, type Outbox, unitOfWork, type WriteContext } from '@accessops/events';
import { DriftFoundSchema } from '@accessops/proto/accessops/events/v1/events_pb';
import type { EntityManager } from '@mikro-orm/postgresql';
import { asService } from '../jobs/job-events.ts';
import type { ClaimedRun } from './claim-runs.ts';
import type { Look } from './look-at-sites.ts';
import type { Missing, Other, RunStatus, Surplus } from './reconciliation.ts';
import { reapply, remove } from './repair.ts';

/** A report is for people to read: whoever has more to put right than this begins with these. */
const longestList = 1000;

const finish = `
  update reconciliation set status = ?, missing = ?, surplus = ?, others = ?, error = ?, finished_at = ?
  where id = ? and attempts = ? and status = 'RUNNING' returning id`;

/** Whether others have given something else than when the resource was looked at last. */
const isNews = async (em: EntityManager, { id, tenantId, resourceId }: ClaimedRun, others: Other[]): Promise<boolean> => {
  const [last] = await em.execute<{ same: boolean }[]>(
    `select others = ?::jsonb as same from reconciliation where tenant_id = ? and resource_id = ? and id <> ? and status = 'SUCCEEDED'
     order by created_at desc, id desc limit 1`,
    [JSON.stringify(others), tenantId, resourceId, id],
  );
  return last ? !last.same : others.length > 0;
};

const reportsKept = 10;

const dropFormer = `
  delete from reconciliation where id in (
    select id from reconciliation where tenant_id = ? and resource_id = ? order by created_at desc, id desc offset ${reportsKept}
  )`;

const statusOf = ({ errors, supported }: Look): RunStatus => {
  if (errors.length > 0) return 'FAILED';
  return supported ? 'SUCCEEDED' : 'UNSUPPORTED';
};

const unique = <T>(items: T[]): T[] => [...new Map(items.map((item) => [JSON.stringify(item), item])).values()].slice(0, longestList);

const repair = async (ctx: WriteContext, run: ClaimedRun, look: Look): Promise<{ missing: Missing[]; surplus: Surplus[] }> => {
  const missing = await reapply(ctx, run, look.missing.slice(0, longestList));
  const surplus = unique(look.surplus.map(({ key, name, kind }) => ({ key, name, kind })));
  const removals = await remove(
    ctx,
    run,
    surplus.map(({ key }) => key),
  );
  return {
    missing,
    surplus: surplus.flatMap((one) => {
      const jobId = removals.get(one.key);
      return jobId === undefined ? [] : [{ ...one, jobId }];
    }),
  };
};

/** Another process has the run: what was decided for it here is rolled back. */
export class Replaced extends Error {}

/**
 * Queues what puts right what a run has found, and keeps its report: in one transaction, which decides anew what is to be put right.
 * A run that another process has taken over changes nothing.
 */
export const settleRun = (outbox: Outbox, run: ClaimedRun, look: Look, now: () => Date): Promise<void> =>
  unitOfWork(outbox, 'all-tenants', async (em) => {
    const ctx = asService({ em, now }, run);
    const others = unique(look.foreign.map(({ name, kind }) => ({ name, kind })));
    const news = await isNews(em, run, others);
    const { missing, surplus } = await repair(ctx, run, look);
    const status = statusOf(look);
    const lists = [missing, surplus, others].map((list) => JSON.stringify(list));
    const error = look.errors.length > 0 ? [...new Set(look.errors)].join('; ').slice(0, 500) : null;
    const finished = await em.execute<unknown[]>(finish, [status, ...lists, error, now(), run.id, run.attempts]);
    if (finished.length === 0) throw new Replaced();
    await em.execute(dropFormer, [run.tenantId, run.resourceId]);
    if (missing.length + surplus.length === 0 && !news) return;
    const { resourceId } = run;
    emit(ctx, DriftFoundSchema, { resourceId, reconciliationId: run.id }, resourceId, {
      action: 'DRIFT_FOUND',
      entityType: 'RESOURCE',
      entityId: resourceId,
      changes: { missing: { after: missing.length }, surplus: { after: surplus.length }, foreign: { after: others.length } },
    });
  });
