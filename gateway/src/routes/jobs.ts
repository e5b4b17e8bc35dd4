import { defineRoute, type Route } from '../define-route.ts';
import { jobExample, jobJson, jobSchema } from '../representations/job.ts';

/** How provisioning goes. */
export const jobRoutes: Route[] = [
  defineRoute({
    method: 'get',
    path: '/api/v1/jobs/{id}/status',
    operationId: 'getJobStatus',
    tag: 'Jobs',
    summary: 'How a job goes',
    description: 'For the requester, admins and auditors.',
    audience: 'app',
    cerbos: { resource: 'job', action: 'read' },
    answer: { status: 200, description: 'The job.', schema: jobSchema, example: jobExample },
    errors: ['JOB_NOT_FOUND'],
    handle: async ({ services, params, options }) => jobJson(await services.provisioner.getJob({ id: params.id }, options)),
  }),
];
