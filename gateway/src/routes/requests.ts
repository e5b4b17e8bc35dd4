import { z } from '@hono/zod-openapi';
import { type Answer, defineList, defineRoute, noBody, pageOf, type Route } from '../define-route.ts';
import { duration, exampleId, id, jsonObject, text } from '../fields.ts';
import type { ListDeclaration } from '../list-query.ts';
import { accessRequestExample, accessRequestJson, accessRequestSchema } from '../representations/access-request.ts';
import { planExample, planJson, planSchema } from '../representations/plan.ts';

const newRequest = z
  .strictObject({
    resourceId: id('What is asked for.'),
    role: z.string().min(1).max(63),
    justification: text(2000),
    duration,
    parameters: jsonObject.optional(),
    ticket: text(200).optional(),
  })
  .openapi('NewAccessRequest');

const list: ListDeclaration = {
  fields: {
    id: 'uuid',
    status: 'text',
    requesterId: 'uuid',
    resourceId: 'uuid',
    role: 'text',
    extendsRequestId: 'uuid',
    jobId: 'uuid',
    grantId: 'uuid',
    createdAt: 'time',
    updatedAt: 'time',
  },
  defaultSort: '-createdAt',
};

const item = { schema: accessRequestSchema, example: accessRequestExample };

const answer: Answer = { status: 200, description: 'The request.', ...item, etag: true };

/** Asking for access. */
export const requestRoutes: Route[] = [
  defineRoute({
    method: 'post',
    path: '/api/v1/requests',
    operationId: 'fileRequest',
    tag: 'Requests',
    summary: 'Ask for access',
    description: 'Policy decides who has to approve; with nobody to ask the request is approved at once.',
    audience: 'app',
    cerbos: { resource: 'access_request', action: 'create' },
    body: {
      schema: newRequest,
      example: { resourceId: exampleId, role: 'reader', justification: 'Looking into an incident', duration: 'PT4H', ticket: 'OPS-42' },
    },
    answer: { ...answer, status: 201, description: 'The request with its plan.' },
    errors: ['REQUEST_ALREADY_OPEN', 'RESOURCE_NOT_FOUND'],
    handle: async ({ services, body: { parameters, ...body }, options }) =>
      accessRequestJson(
        await services.requests.submitRequest({ ...body, parametersJson: parameters ? JSON.stringify(parameters) : '' }, options),
      ),
  }),
  defineList({
    path: '/api/v1/requests/me',
    operationId: 'listMyRequests',
    tag: 'Requests',
    summary: 'My requests',
    audience: 'app',
    cerbos: { resource: 'access_request', action: 'list_own' },
    list,
    item,
    handle: async ({ services, query, options }) => pageOf(await services.requests.listMyRequests({ query }, options), accessRequestJson),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/requests/{id}',
    operationId: 'getRequest',
    tag: 'Requests',
    summary: 'One request',
    description: 'For the requester, those who decide on it, admins and auditors.',
    audience: 'app',
    cerbos: { resource: 'access_request', action: 'read' },
    answer,
    errors: ['REQUEST_NOT_FOUND'],
    handle: async ({ services, params, options }) => accessRequestJson(await services.requests.getRequest({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'get',
    path: '/api/v1/requests/{id}/plan',
    operationId: 'getRequestPlan',
    tag: 'Requests',
    summary: 'What will happen at the target',
    description:
      'For whoever may read the request. It is made while the request waits for a decision; `PENDING` while the target has not answered, with what it has said so far in `error`.',
    audience: 'app',
    cerbos: { resource: 'access_request', action: 'read' },
    answer: { status: 200, description: 'The plan, in words.', schema: planSchema, example: planExample },
    errors: ['REQUEST_NOT_FOUND'],
    handle: async ({ services, params: { id: requestId }, options }) => {
      // The one knows of every request at once, the other hears of it a moment later.
      await services.requests.getRequest({ id: requestId }, options);
      return planJson(await services.provisioner.getPlan({ requestId }, options));
    },
  }),
  defineList({
    path: '/api/v1/requests',
    operationId: 'listRequests',
    tag: 'Requests',
    summary: 'All requests of the tenant',
    audience: 'app',
    cerbos: { resource: 'access_request', action: 'list_all' },
    list,
    item,
    handle: async ({ services, query, options }) => pageOf(await services.requests.listRequests({ query }, options), accessRequestJson),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/requests/{id}/cancel',
    operationId: 'cancelRequest',
    tag: 'Requests',
    summary: 'Take back a request that waits for a decision',
    audience: 'app',
    cerbos: { resource: 'access_request', action: 'cancel' },
    body: noBody,
    answer,
    errors: ['REQUEST_NOT_FOUND', 'REQUEST_NOT_PENDING'],
    handle: async ({ services, params, options }) => accessRequestJson(await services.requests.cancelRequest({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/requests/{id}/withdraw',
    operationId: 'withdrawRequest',
    tag: 'Requests',
    summary: 'Give back access',
    description: 'The grant is revoked; the request becomes `REVOKED` once the target says so.',
    audience: 'app',
    cerbos: { resource: 'access_request', action: 'withdraw' },
    body: noBody,
    answer,
    errors: ['REQUEST_NOT_FOUND', 'REQUEST_NOT_ACTIVE'],
    handle: async ({ services, params, options }) => accessRequestJson(await services.requests.withdrawRequest({ id: params.id }, options)),
  }),
  defineRoute({
    method: 'post',
    path: '/api/v1/requests/{id}/extend',
    operationId: 'extendRequest',
    tag: 'Requests',
    summary: 'Ask for my access to last longer',
    description:
      'Answers a request of its own, decided on like one for the whole time: that before and `duration`, which together are no longer than the type allows. The access stays as it is; once this is approved, it ends later by `duration`, without a gap, and both requests end with it. Where access has ended before, this request is `LAPSED` or `FAILED`.',
    audience: 'app',
    cerbos: { resource: 'access_request', action: 'extend' },
    body: { schema: z.strictObject({ duration }), example: { duration: 'PT2H' } },
    answer: {
      ...answer,
      description: 'The request for more time.',
      example: { ...accessRequestExample, extendsRequestId: '0192f0c1-5555-7b4d-8c6f-2a9d1e4b7c35', duration: 'PT2H' },
    },
    errors: ['REQUEST_NOT_FOUND', 'REQUEST_NOT_ACTIVE', 'REQUEST_ALREADY_OPEN', 'RESOURCE_NOT_FOUND'],
    handle: async ({ services, params, body, options }) =>
      accessRequestJson(await services.requests.extendRequest({ id: params.id, duration: body.duration }, options)),
  }),
];
