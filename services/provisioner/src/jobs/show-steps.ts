import { type Outbox, unitOfWork } from '@accessops/events';
import type { Step } from './step.ts';

/** Lets people see what running jobs are at, as far as this worker still has them. */
export const showSteps = (outbox: Outbox, jobs: { id: string; attempts: number; steps: Step[] }[]): Promise<void> =>
  unitOfWork(outbox, 'all-tenants', async (em) => {
    await em.execute(
      `update job set steps = shown.steps from jsonb_to_recordset(?) as shown (id uuid, attempts integer, steps jsonb)
       where job.id = shown.id and job.attempts = shown.attempts and job.status = 'RUNNING'`,
      [JSON.stringify(jobs)],
    );
  });
