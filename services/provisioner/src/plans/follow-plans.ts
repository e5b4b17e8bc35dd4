import { isDeepStrictEqual } from 'node:util';
import { newId } from '@accessops/db';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { PlanTarget } from './planned.ts';

interface Planned {
  requestId: string;
  jobId: string;
  target: PlanTarget;
}

/** What was approved, by the id of its request. */
export type ApprovedTargets = ReadonlyMap<string, PlanTarget>;

const replan = `update plan set target = approved.target, status = 'PENDING', attempts = 0, due_at = now(), steps = '[]', error = null, prepared_at = null
  from json_to_recordset(?) as approved (request uuid, target jsonb) where plan.request_id = approved.request`;

/**
 * The ids of the jobs for approved requests: those that their plans have given out, else new ones. Where the resource has been set up
 * anew since, what was planned is not what was approved: the plan is made again, and nothing that was kept of it is applied.
 */
export const followPlans = async (em: EntityManager, tenantId: string, approved: ApprovedTargets): Promise<Map<string, string>> => {
  const ids = [...approved.keys()];
  const planned = await em.execute<Planned[]>(
    `select request_id as "requestId", job_id as "jobId", target from plan where tenant_id = ? and request_id in (${ids.map(() => '?').join(', ')})`,
    [tenantId, ...ids],
  );
  const outdated = planned.filter(({ requestId, target }) => !isDeepStrictEqual(target, approved.get(requestId)));
  if (outdated.length > 0) {
    await em.execute(replan, [JSON.stringify(outdated.map(({ requestId }) => ({ request: requestId, target: approved.get(requestId) })))]);
    await em.execute(
      `delete from saved_plan where job_id in (${outdated.map(() => '?').join(', ')})`,
      outdated.map(({ jobId }) => jobId),
    );
  }
  const jobIds = new Map(planned.map(({ requestId, jobId }) => [requestId, jobId]));
  return new Map(ids.map((id) => [id, jobIds.get(id) ?? newId()]));
};
