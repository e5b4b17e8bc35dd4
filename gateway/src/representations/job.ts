import type { Job } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { z } from '@hono/zod-openapi';
import { exampleId, exampleTime, id, time } from '../fields.ts';
import { orNull, timeOf, timeOrNull } from './proto.ts';

export const jobSchema = z
  .object({
    id: id('The job.'),
    requestId: id('The request it carries out.'),
    grantId: id('The grant it makes or ends; null until there is one.').nullable(),
    kind: z.enum(['PROVISION', 'REVOKE']),
    queue: z.enum(['high', 'default', 'low']),
    status: z.enum(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED']),
    attempts: z.int(),
    maxAttempts: z.int(),
    lastError: z.string().nullable(),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
  })
  .openapi('Job');

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
};

/** A job as the API shows it. */
export const jobJson = (job: Job): JobJson => ({
  id: job.id,
  requestId: job.requestId,
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
});
