import type { Call, Ctx } from '@accessops/service';
import { validate } from 'uuid';
import { Job } from '../jobs/job.ts';
import { nothingYet, type PlanDesk, type PlanView, type Wanted } from './plan-desk.ts';

type Row = Omit<PlanView, 'preparedAt'> & { preparedAt: string | null; requesterId: string; stageRoles: string[]; stageTeams: string[] };

const find = `select status, steps, prepared_at as "preparedAt", error, requester_id as "requesterId", stage_roles as "stageRoles",
  stage_teams as "stageTeams" from plan where request_id = ? and tenant_id = ?`;

const mayRead = (ctx: Ctx, { requesterId, stageRoles, stageTeams }: Pick<Row, 'requesterId' | 'stageRoles' | 'stageTeams'>) =>
  ctx.authorize('access_request', 'read', { tenantId: ctx.tenantId, requesterId, stageRoles, stageTeams });

const keptPlan = async (ctx: Ctx, requestId: string): Promise<PlanView | undefined> => {
  const [row] = await ctx.em.execute<Row[]>(find, [requestId, ctx.tenantId]);
  if (!row) return undefined;
  await mayRead(ctx, row);
  const { status, steps, preparedAt, error } = row;
  return { status, steps, error, preparedAt: preparedAt ? new Date(preparedAt) : null };
};

/** What a plan would have been made of for a request that waited for nobody. */
const unplanned = async (ctx: Ctx, requestId: string): Promise<Wanted | undefined> => {
  const { em, tenantId } = ctx;
  const job = await em.findOne(Job, { requestId, tenantId, kind: 'PROVISION' });
  if (!job) return undefined;
  const { requesterId, spec } = job;
  await mayRead(ctx, { requesterId, stageRoles: [], stageTeams: [] });
  const [tenant] = await em.execute<{ slug: string | null }[]>('select slug from tenant where tenant_id = ?', [tenantId]);
  return { tenantId, tenantSlug: tenant?.slug ?? null, jobId: spec.key, requesterId, target: spec };
};

/**
 * What is to happen, or has happened, at the target of a request: as it was planned while somebody was to decide; when nobody was, it is
 * asked for now. Of a request that has not been heard of nothing is known, to anybody. Errors: PERMISSION_DENIED.
 */
export const readPlan = async (call: Call, desk: PlanDesk, requestId: string): Promise<PlanView> => {
  if (!validate(requestId)) return nothingYet;
  const kept = await call.read((ctx) => keptPlan(ctx, requestId));
  if (kept) return kept;
  const wanted = await call.read((ctx) => unplanned(ctx, requestId));
  return wanted ? desk.ask(requestId, wanted) : nothingYet;
};
