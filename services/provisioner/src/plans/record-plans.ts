import { type Outbox, unitOfWork } from '@accessops/events';
import type { Planning } from './make-plan.ts';
import type { ClaimedPlan } from './planned.ts';

/** A plan and what came of the attempt to make it. */
export interface Made {
  claimed: ClaimedPlan;
  planning: Planning;
}

// Unless another was faster, or something else was approved meanwhile.
const update = `update plan set status = made.status, steps = made.steps, error = made.error, prepared_at = made.prepared_at,
    due_at = now() + made.pause * interval '1 millisecond'
  from json_to_recordset(?) as made (request uuid, target jsonb, status text, steps jsonb, error text, prepared_at timestamptz, pause integer)
  where plan.request_id = made.request and plan.status = 'PENDING' and plan.target = made.target returning plan.request_id as id`;

const keep = `insert into saved_plan (job_id, tenant_id, key_id, data_key, iv, ciphertext, tag) values (?, ?, ?, ?, ?, ?, ?)
  on conflict (job_id) do update set key_id = excluded.key_id, data_key = excluded.data_key, iv = excluded.iv,
    ciphertext = excluded.ciphertext, tag = excluded.tag`;

/** The columns of a plan that say what came of making it. */
export const recordOf = (planning: Planning, now: Date) => ({
  status: planning.status,
  steps: planning.status === 'READY' ? planning.steps : [],
  error: planning.status === 'READY' ? null : planning.error || null,
  prepared_at: planning.status === 'READY' ? now : null,
});

const rowOf = ({ claimed, planning }: Made, now: Date) => ({
  request: claimed.requestId,
  target: claimed.target,
  ...recordOf(planning, now),
  pause: planning.status === 'PENDING' ? planning.pauseMs : 0,
});

/** Records what came of planning, many at once. */
export const recordPlans = (outbox: Outbox, made: Made[], now: () => Date): Promise<void> =>
  unitOfWork(outbox, 'all-tenants', async (em) => {
    const rows = made.map((one) => rowOf(one, now()));
    const recorded = await em.execute<{ id: string }[]>(update, [JSON.stringify(rows)]);
    const ids = new Set(recorded.map(({ id }) => id));
    for (const { claimed, planning } of made) {
      if (!ids.has(claimed.requestId) || planning.status !== 'READY' || !planning.sealed) continue;
      const { keyId, dataKey, iv, ciphertext, tag } = planning.sealed;
      await em.execute(keep, [claimed.jobId, claimed.tenantId, keyId, dataKey, iv, ciphertext, tag]);
    }
  });
