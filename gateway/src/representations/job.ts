import type { Job, JobStep } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { orNull, timeOf, timeOrNull } from './proto.ts';

export const stepSchema = z
  .object({
    name: z.enum(['VERIFY', 'APPLY', 'EXTEND', 'REVOKE', 'READ_BACK']).openapi({
      description: '`VERIFY` asks the target what an earlier attempt has left, `READ_BACK` whether what was taken away has gone.',
    }),
    attempt: z.int(),
    status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'WAITING']).openapi({
      description: '`WAITING`: the target has promised an answer.',
    }),
    startedAt: time,
    finishedAt: time.nullable(),
    message: z.string().nullable().openapi({ description: 'For people: what went wrong, or what is waited for.' }),
  })
  .openapi('JobStep');

export const jobSchema = z
  .object({
    id: id('The job.'),
    requestId: id('The request it carries out; null when it belongs to none.').nullable(),
    grantId: id('The grant it makes or ends; null until there is one.').nullable(),
    kind: z.enum(['PROVISION', 'EXTEND', 'ROTATE', 'REAPPLY', 'REVOKE', 'REPORT', 'WELCOME_MAIL', 'TENANT_DEFAULTS']),
    queue: z.enum(['high', 'default', 'low']),
    status: z.enum(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED']),
    attempts: z.int(),
    maxAttempts: z
      .int()
      .openapi({ description: 'After so many it has failed; 0: it is tried until it works, as what takes access away is.' }),
    lastError: z.string().nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    steps: z
      .array(stepSchema)
      .openapi({ description: 'What was done at the target, the latest last; of many attempts the last twenty steps.' }),
  })
  .openapi('Job');

type StepJson = z.infer<typeof stepSchema>;
type JobJson = z.infer<typeof jobSchema>;

export const jobExample: JobJson = {
  id: exampleId,
  requestId: '0192f0c1-5555-7b4d-8c6f-2a9d1e4b7c35',
  grantId: '0192f0c1-6666-7b4d-8c6f-2a9d1e4b7c36',
  kind: 'PROVISION',
  queue: 'default',
  status: 'SUCCEEDED',
  attempts: 1,
  maxAttempts: 5,
  lastError: null,
  createdAt: exampleTime,
  startedAt: exampleTime,
  finishedAt: '2026-11-21T09:30:01.000Z',
  steps: [
    { name: 'APPLY', attempt: 1, status: 'SUCCEEDED', startedAt: exampleTime, finishedAt: '2026-11-21T09:30:01.000Z', message: null },
  ],
};

const stepJson = (step: JobStep): StepJson => ({
  name: step.name as StepJson['name'],
  attempt: step.attempt,
  status: step.status as StepJson['status'],
  startedAt: timeOf(step.startedAt),
  finishedAt: timeOrNull(step.finishedAt),
  message: orNull(step.message),
});

/** A job as the API shows it. */
export const jobJson = (job: Job): JobJson => ({
  id: job.id,
  requestId: orNull(job.requestId),
  grantId: orNull(job.grantId),
  kind: job.kind as JobJson['kind'],
  queue: job.queue as JobJson['queue'],
  status: job.status as JobJson['status'],
  attempts: job.attempts,
  maxAttempts: job.maxAttempts,
  lastError: orNull(job.lastError),
  createdAt: timeOf(job.createdAt),
  startedAt: timeOrNull(job.startedAt),
  finishedAt: timeOrNull(job.finishedAt),
  steps: job.steps.map(stepJson),
});
