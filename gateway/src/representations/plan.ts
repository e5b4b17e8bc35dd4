import type { Plan } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { orNull, timeOrNull } from './proto.ts';

export const planSchema = z
  .object({
    requestId: id('The request that it is about.'),
    status: z.enum(['READY', 'PENDING', 'FAILED']),
    steps: z.array(z.string()).openapi({ description: 'In words; none until it is `READY`.' }),
    preparedAt: time.nullable(),
    error: z.string().nullable().openapi({ description: 'Why it has failed, or has not worked so far.' }),
  })
  .openapi('Plan');

type PlanJson = z.infer<typeof planSchema>;

export const planExample: PlanJson = {
  requestId: exampleId,
  status: 'READY',
  steps: [
    'Create the login accessops_0192f0c177777b4d8c6f2a9d1e4b7c37 on the database prod',
    'Give it the privileges of customer_reader, and at most 5 sessions',
    'At the end: close its sessions, pass on what it owns, and drop it',
  ],
  preparedAt: exampleTime,
  error: null,
};

/** A plan as the API shows it. */
export const planJson = (plan: Plan): PlanJson => ({
  requestId: plan.requestId,
  status: plan.status as PlanJson['status'],
  steps: plan.steps,
  preparedAt: timeOrNull(plan.preparedAt),
  error: orNull(plan.error),
});
