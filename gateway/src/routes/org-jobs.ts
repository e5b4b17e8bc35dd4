import { defineList, defineRoute, noBody, pageOf, type Route } from '../define-route.ts';
import { jobExample, jobJson, jobSchema } from '../representations/job.ts';

const item = { schema: jobSchema, example: jobExample };

/** The jobs of the tenant. */
export const orgJobRoutes: Route[] = [
  defineList({
    path: '/api/v1/org/jobs',
    operationId: 'listJobs',
    tag: 'Org operations',
    summary: 'The jobs of the tenant',
    audience: 'org-admin',
    cerbos: { resource: 'job', action: 'list_all' },
    list: {
      fields: {
        id: 'uuid',
        requestId: 'uuid',
        grantId: 'uuid',
        kind: 'text',
        queue: 'text',
        status: 'text',
        createdAt: 'time',
        startedAt: 'time',
        finishedAt: 'time',
      },
      defaultSort: '-createdAt',
    },
    item,
    handle: async ({ services, query, options }) => pageOf(await services.provisioner.listJobs({ query }, options), jobJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/jobs/{id}/retry',
    operationId: 'retryJob',
    tag: 'Org operations',
    summary: 'Run a failed job again',
    description: 'The request of one that provisions goes back to `PROVISIONING`.',
    audience: 'org-admin',
    cerbos: { resource: 'job', action: 'retry' },
    body: noBody,
    answer: {
      status: 200,
      description: 'The job.',
      schema: jobSchema,
      example: { ...jobExample, status: 'QUEUED', startedAt: null, finishedAt: null },
    },
    errors: ['JOB_NOT_FOUND', 'JOB_NOT_FAILED'],
    handle: async ({ services, params, options }) => jobJson(await services.provisioner.retryJob({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/org/jobs/{id}/cancel',
    operationId: 'cancelJob',
    tag: 'Org operations',
    summary: 'Give a queued job no further attempt',
    description:
      'What earlier attempts have left at a target is taken away; then the job is `FAILED`, and so is its request, if it has one. Access that has to end is not cancelled.',
    audience: 'org-admin',
    cerbos: { resource: 'job', action: 'cancel' },
    body: noBody,
    answer: { status: 200, description: 'The job.', schema: jobSchema, example: { ...jobExample, status: 'QUEUED', finishedAt: null } },
    errors: ['JOB_NOT_FOUND', 'JOB_NOT_QUEUED'],
    handle: async ({ services, params, options }) => jobJson(await services.provisioner.cancelJob({ id: params.id }, options)),
  }),
];
