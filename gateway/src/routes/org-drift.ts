import { defineRoute, type Route } from '../define-route.ts';
import { driftExample, driftJson, driftSchema } from '../representations/drift.ts';

const item = { schema: driftSchema, example: driftExample };

/** Whether targets have what grants say. */
export const orgDriftRoutes: Route[] = [
  defineRoute({
    method: 'post',
    path: '/api/v1/org/resources/{id}/reconcile',
    operationId: 'reconcileResource',
    tag: 'Org operations',
    summary: 'Compare what a target has with the grants of a resource, now',
    description:
      'It is done in a moment, and otherwise at intervals: what is missing while its grant is active is put back, what is left over is taken away, and what others have given is reported. Read the report at `GET …/drift`. One that waits or runs already is the answer.',
    audience: 'org-admin',
    cerbos: { resource: 'resource', action: 'reconcile' },
    answer: {
      status: 202,
      description: 'The comparison that is going to be made.',
      ...item,
      example: { ...driftExample, status: 'QUEUED' },
    },
    errors: ['DRIFT_NOT_KNOWN'],
    handle: async ({ services, params, options }) =>
      driftJson(await services.provisioner.reconcileResource({ resourceId: params.id }, options)),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/org/resources/{id}/drift',
    operationId: 'getDrift',
    tag: 'Org operations',
    summary: 'What the latest comparison of a resource has shown',
    audience: 'org-admin',
    cerbos: { resource: 'resource', action: 'read_drift' },
    answer: { status: 200, description: 'The report.', ...item },
    errors: ['DRIFT_NOT_KNOWN'],
    handle: async ({ services, params, options }) => driftJson(await services.provisioner.getDrift({ resourceId: params.id }, options)),
  }),
];
