import type { Job } from '@accessops/proto/accessops/provisioner/v1/provisioner_pb';
import { defineRoute, type Route } from '../define-route.ts';
import type { StreamedEvent } from '../event-streams.ts';
import { jobExample, jobJson, jobSchema } from '../representations/job.ts';

const jobEvents = async function* (jobs: AsyncIterable<Job>): AsyncIterable<StreamedEvent> {
  for await (const job of jobs) {
    const data = jobJson(job);
    yield { event: 'job', data, isLast: data.status === 'SUCCEEDED' || data.status === 'FAILED' };
  }
};

/** How provisioning goes. */
export const jobRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/jobs/{id}/status',
    operationId: 'getJobStatus',
    tag: 'Jobs',
    summary: 'How a job goes',
    description: 'For whom it is done, managers, admins and auditors.',
    audience: 'app',
    cerbos: { resource: 'job', action: 'read' },
    answer: { status: 200, description: 'The job.', schema: jobSchema, example: jobExample },
    errors: ['JOB_NOT_FOUND'],
    handle: async ({ services, params, options }) => jobJson(await services.provisioner.getJob({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/jobs/{id}/events',
    operationId: 'streamJob',
    tag: 'Jobs',
    summary: 'How a job goes, as it goes',
    description:
      'Server-sent events `job`: the job as it is, then again whenever it has changed, until it has succeeded or failed. Whoever comes back with `Last-Event-ID` is not told again what they know; 204 when there is nothing more to come. Comments keep the connection open. For the requester, admins, managers and auditors, as long as they may read the job; ten streams each at a time.',
    audience: 'app',
    cerbos: { resource: 'job', action: 'read' },
    answer: {
      status: 200,
      description: 'The job, again and again.',
      media: { 'text/event-stream': `id: 3q2-7wAAAAAAAAAA\nevent: job\ndata: ${JSON.stringify(jobExample)}\n\n` },
    },
    errors: ['JOB_NOT_FOUND'],
    handle: ({ services, params, stream }) => stream((options) => jobEvents(services.provisioner.watchJob({ id: params.id }, options))),
  }),
];
